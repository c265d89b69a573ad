"""Faults and scenarios as people write them, and what is said of those that are written wrongly."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sim_exchange.faults.moments import moment_ms
from services.sim_exchange.faults.reading import KINDS, read_fault
from services.sim_exchange.faults.scenario import ScenarioRefusedError, read_scenario
from services.sim_exchange.faults.scope import FaultRefusedError
from services.sim_exchange.faults.vocabulary import HttpStatus, LateArrival, When

MORNING_MS = 1_769_860_800_000  # 2026-01-31T12:00:00Z

SCENARIO = """
seed: 7
steps:
  gateway:
    at: +12s
    fault:
      kind: http_status
      status: 503
      executed: true
      when:
        account: alice
        probability: 0.25
        nth_is_not_said: 1
"""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("+500ms", MORNING_MS + 500),
        ("+12s", MORNING_MS + 12_000),
        ("+3m", MORNING_MS + 180_000),
        ("+2h", MORNING_MS + 7_200_000),
        ("2026-01-31T12:00:00Z", MORNING_MS),
        ("2026-01-31T13:00:00.250+01:00", MORNING_MS + 250),
    ],
)
def test_moments(text: str, moment: int) -> None:
    """A time is written as how long after, or as a moment with its zone."""
    assert moment_ms(text, MORNING_MS) == moment


@pytest.mark.parametrize("text", ["12s", "+12", "+1.5s", "-3s", "2026-01-31", "2026-01-31T12:00:00", "soon", ""])
def test_moments_that_are_none(text: str) -> None:
    """What could be read in two ways, or in none, is refused with an example."""
    with pytest.raises(ValueError, match=r"write how long after, such as \+500ms"):
        moment_ms(text, MORNING_MS)


@pytest.mark.parametrize(
    ("written", "where", "said"),
    [
        ([], "", "is a mapping"),
        ({}, "kind", "write one of drop_request, late_arrival"),
        ({"kind": "drop_replies"}, "kind", "drop_reply"),
        ({"kind": ["drop_reply"]}, "kind", "drop_reply"),
        ({"kind": "http_status", "status": 200, "executed": True}, "status", "`int` >= 400"),
        ({"kind": "http_status", "status": "503", "executed": True}, "status", "Expected `int`"),
        ({"kind": "http_status", "status": 503}, "", "missing required field `executed`"),
        ({"kind": "http_status", "status": 503, "executed": "yes"}, "executed", "Expected `bool`"),
        ({"kind": "drop_reply", "acount": "alice"}, "acount", "not known here: write one of hold_ms, when"),
        ({"kind": "drop_reply", "account": "alice"}, "account", "belongs into `when`"),
        ({"kind": "drop_reply", "when": {"acount": "alice"}}, "when.acount", "write one of probability, nth"),
        ({"kind": "drop_reply", "when": {"nth": [0]}}, "when.nth[0]", "`int` >= 1"),
        ({"kind": "drop_reply", "when": {"nth": []}}, "when.nth", "length >= 1"),
        ({"kind": "drop_reply", "when": {"probability": 0}}, "when.probability", "> 0"),
        ({"kind": "drop_reply", "when": {"probability": 0.5, "every": 2}}, "when", "exclude each other: keep one"),
        ({"kind": "drop_reply", "when": {"until": "soon"}}, "when", "write how long after"),
        ({"kind": "drop_reply", "when": {"stream": "kline"}}, "when.stream", "write `endpoint`"),
        ({"kind": "venue_error", "code": -4711, "executed": False}, "", "add `message`"),
        ({"kind": "banned"}, "when.until", "write for example +2m"),
        ({"kind": "rules_change", "symbol": "BTCUSDT"}, "", "say which filter becomes what"),
        ({"kind": "rules_change", "symbol": "BTCUSDT", "tick_size": "NaN"}, "", "write an amount such as 0.1"),
        ({"kind": "rules_change", "symbol": "BTCUSDT", "tick_size": "-1"}, "", "write an amount such as 0.1"),
        ({"kind": "halt", "symbol": "btc/usdt"}, "symbol", "matching regex"),
    ],
)
def test_faults_that_are_refused(written: object, where: str, said: str) -> None:
    """What is wrong is said with its place, and with what to write."""
    with pytest.raises(FaultRefusedError) as refused:
        read_fault(written)
    assert refused.value.where == where
    assert said in refused.value.text


@given(st.sampled_from(sorted(KINDS)), st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=5))
def test_nonsense_is_refused_and_breaks_nothing(kind: str, nonsense: Any) -> None:  # noqa: ANN401  # anything at all
    """Whatever stands where the scope should, a fault is read or refused, and nothing else comes of it."""
    with pytest.raises(FaultRefusedError):
        read_fault({"kind": kind, "when": {"account": [nonsense]}})


def test_faults_are_written_as_they_are_read() -> None:
    """What was read can be shown, and read again."""
    fault = HttpStatus(status=503, executed=True, when=When(nth=(1, 3), account="alice", until="+2m"))
    assert read_fault(msgspec.to_builtins(fault)) == fault
    assert read_fault(msgspec.json.decode(msgspec.json.encode(fault))) == fault


def test_a_scenario_is_read() -> None:
    """A scenario has a seed, and faults by name that begin after a time or before a request."""
    text = SCENARIO.replace("        nth_is_not_said: 1\n", "") + (
        "  late:\n    at: request 40\n    fault:\n      kind: late_arrival\n      delay_ms: 3000\n"
    )
    scenario = read_scenario(text, name="bad-day.yaml")
    gateway, late = scenario.steps
    assert scenario.seed == 7
    assert (gateway.name, gateway.after_ms, gateway.request) == ("gateway", 12_000, None)
    assert gateway.fault == HttpStatus(status=503, executed=True, when=When(account="alice", probability=0.25))
    assert (late.name, late.request, late.fault) == ("late", 40, LateArrival(delay_ms=3_000))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (SCENARIO, "bad-day.yaml:13: steps.gateway.fault.when.nth_is_not_said: is not known here: write one of"),
        (SCENARIO.replace("503", "200"), "bad-day.yaml:8: steps.gateway.fault.status: Expected `int` >= 400"),
        (SCENARIO.replace("seed: 7", "seed: seven"), "bad-day.yaml:2: seed: is no whole number: write for example"),
        (SCENARIO.replace("seed: 7", ""), "seed: is no whole number"),
        (SCENARIO.replace("+12s", "12 seconds"), "bad-day.yaml:5: steps.gateway.at: write when the fault begins"),
        (SCENARIO.replace("+12s", "request 0"), "bad-day.yaml:5: steps.gateway.at: write when the fault begins"),
        (SCENARIO.replace("    at: +12s\n", ""), "bad-day.yaml:6: steps.gateway.at: write when the fault begins"),
        (SCENARIO.replace("    fault:", "    faults:"), "steps.gateway.faults: is neither `at` nor `fault`"),
        (SCENARIO.replace("steps:", "stages:"), "is neither `seed` nor below `steps`"),
        ("seed: 7\n", "steps: holds 0 steps: write 1 to 100"),
        ("seed: 7\nsteps: [a\n", "not valid YAML"),
        ("seed: 7\nsteps: drop_reply\n", "is neither `seed` nor below `steps`"),
    ],
)
def test_scenarios_that_are_refused(text: str, complaint: str) -> None:
    """What is wrong with a scenario is said with its line and key."""
    with pytest.raises(ScenarioRefusedError) as refused:
        read_scenario(text, name="bad-day.yaml")
    assert complaint in str(refused.value)
