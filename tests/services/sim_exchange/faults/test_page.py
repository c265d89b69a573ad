"""The page on faults keeps what it promises: every kind stands there with an example that is understood."""

import re
from pathlib import Path
from typing import Final

import msgspec
import pytest

from services.sim_exchange.faults.reading import KINDS, read_fault
from services.sim_exchange.faults.rulebook import FAULTS_MAX, Rulebook
from services.sim_exchange.faults.scenario import STEPS_MAX, read_scenario
from services.sim_exchange.faults.vocabulary import When
from tests.house.tree import CHECKOUT

PAGE: Final = (CHECKOUT / "docs" / "simulated-exchange-faults.md").read_text(encoding="utf-8")
ROWS: Final = re.findall(r"^\| `(\w+)` \|.*\| `(\{\"kind\".*\})` \|$", PAGE, re.MULTILINE)
SCENARIOS: Final = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_every_kind_stands_on_the_page_once() -> None:
    """The table has a row for each kind, in the order of the vocabulary's groups or any other, and none besides."""
    assert sorted(kind for kind, _ in ROWS) == sorted(KINDS)


@pytest.mark.parametrize(("kind", "example"), ROWS)
def test_examples_are_understood(kind: str, example: str) -> None:
    """Each example is a fault of its row's kind, and is taken up."""
    fault = read_fault(msgspec.json.decode(example))
    assert fault.__struct_config__.tag == kind
    assert Rulebook(seed=7).add(fault, 0).fault is fault


def test_every_key_of_when_is_explained() -> None:
    """The first table has a row for every way to say when."""
    section = PAGE.partition("## When does a fault strike?")[2].partition("## ")[0]
    named = {
        name for row in re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(When.__struct_fields__)


def test_the_scenario_can_be_played() -> None:
    """The bad day on the page is read without a complaint."""
    (text,) = SCENARIOS
    assert [step.name for step in read_scenario(text, name="page").steps] == ["lost_answers", "late_fill", "halted"]


def test_bounds_are_those_of_the_code() -> None:
    """The page names the bounds that hold."""
    assert f"| faults | {FAULTS_MAX} |" in PAGE
    assert f"| steps of a scenario | {STEPS_MAX} |" in PAGE


def test_every_kind_is_shown_to_ccxt() -> None:
    """No kind is left out of the tests against ccxt."""
    shown = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_ccxt_*.py"))
    assert [kind for kind in KINDS if f'"{kind}"' not in shown] == []
