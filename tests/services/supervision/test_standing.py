"""What `bowline status` says of the kill latch, and of what keeps entries waiting."""

import io
import json
import shutil
from collections.abc import Iterator

import msgspec
import pytest

from proto.risk import Condition, Everything, Latch, OfSymbol, RiskSnapshot
from services.control.entries import PAUSE
from services.control.entries import run as control
from services.supervision import status
from services.supervision.standing import Standing, as_builtins, condition_lines, latch_lines
from shared.mesh.halt_file import HaltFile
from shared.mesh.verb import Streams
from tests.house.tree import CHECKOUT
from tests.proto.examples import BODIES
from tests.services.risk_watchdog.risk_project import RiskProject
from tests.services.supervision.harness import eventually

SET_NS = 1_790_000_000_000_000_000
LATCH = Latch("kill-7", "ada", "too \x1b[2J wild", SET_NS)
SNAPSHOT = msgspec.structs.replace(
    next(body for body in BODIES if isinstance(body, RiskSnapshot)), permission="RUN", conditions=(), latch_id=None
)
PAUSED = Condition("paused", OfSymbol("BTC/USDT"), "REDUCE_ONLY", "ada: news")
KILLED = Condition("kill_latch", Everything(), "HALTED", "the drawdown limit")


def test_nothing_is_said_where_nothing_stands() -> None:
    """Neither a latch nor a condition: the table alone."""
    for standing in (Standing(None), Standing(None, SNAPSHOT)):
        assert [*latch_lines(standing, SET_NS), *condition_lines(standing)] == []
        assert not standing.is_halted


def test_the_latch_comes_first_and_says_who_why_and_since_when() -> None:
    """What would steer a terminal is not shown."""
    output = io.StringIO()
    Streams(output, io.StringIO()).say(*latch_lines(Standing(LATCH), SET_NS + 192_000_000_000))
    assert output.getvalue().splitlines() == [
        "*** HALTED by ada, 2026-09-21 14:13:20 UTC, 3 min 12 s ago: too \N{REPLACEMENT CHARACTER}[2J wild",
        "*** The kill latch is kill-7, and the HALT file is there.",
        "*** No entry leaves, and all is sold until it is flat. `bowline clear-kill` ends it.",
        "",
    ]


@pytest.mark.parametrize(("latch_id", "whose"), [("trip-3", "trip-3"), (None, "known to the executor alone")])
def test_a_latch_without_a_file_is_said_by_risk(latch_id: str | None, whose: str) -> None:
    """The journals hold it as well."""
    halted = msgspec.structs.replace(SNAPSHOT, permission="HALTED", conditions=(PAUSED, KILLED), latch_id=latch_id)
    assert list(latch_lines(Standing(None, halted), SET_NS))[:2] == [
        "*** HALTED: the drawdown limit",
        f"*** The kill latch is {whose}. There is no HALT file.",
    ]
    assert as_builtins(Standing(None, halted))["latch_id"] == latch_id


@pytest.mark.parametrize("latch", [LATCH, None])
def test_a_latch_that_is_cleared_and_holds_yet_is_not_to_be_cleared_again(latch: Latch | None) -> None:
    """Its file is there yet, as a directory that no program removes, or the executor has not lifted it."""
    halted = msgspec.structs.replace(
        SNAPSHOT, permission="HALTED", conditions=(KILLED,), latch_id="kill-7", latch_is_cleared=True
    )
    said = "\n".join(latch_lines(Standing(latch, halted), SET_NS))
    assert said.startswith("*** HALTED still: the kill latch kill-7 is cleared, and the ")
    assert ("HALT file" in said, "clear-kill" in said) == (latch is not None, False)
    assert Standing(latch, halted).is_halted
    newer = Standing(msgspec.structs.replace(LATCH, latch_id="kill-8"), halted)
    assert "clear-kill" in "\n".join(latch_lines(newer, SET_NS)), "risk has not seen that one yet"


def test_what_keeps_entries_waiting_is_named() -> None:
    """Each condition with its scope and reason."""
    standing = Standing(None, msgspec.structs.replace(SNAPSHOT, conditions=(PAUSED,)))
    assert list(condition_lines(standing)) == [
        "",
        "entries: RUN",
        "  REDUCE_ONLY for BTC/USDT: paused, ada: news",
    ]


def test_risk_that_is_there_and_says_nothing_hides_no_pause() -> None:
    """A line that was missing would look like one that says RUN."""
    (_, line) = condition_lines(Standing(None, is_risk_there=True))
    assert line.startswith("entries: not known, for risk is not heard")
    assert not list(condition_lines(Standing(None, SNAPSHOT, is_risk_there=True)))


@pytest.fixture
def project() -> Iterator[RiskProject]:
    """Return a project; its processes end with the test."""
    with RiskProject() as project:
        shutil.copy(CHECKOUT / "supervisord.conf", project.root)
        yield project


def shown(project: RiskProject, *words: str) -> tuple[int, str]:
    """Return the code of `bowline status`, and what it shows."""
    output = io.StringIO()
    argv = ["--root", str(project.root), *words]
    return status.run(argv, environment={}, streams=Streams(output, io.StringIO())), output.getvalue()


def test_status_shows_what_a_real_risk_says(project: RiskProject) -> None:
    """A pause stands behind the table, and a HALT file before it; both also for programs."""
    project.start_risk()
    argv = ["--root", str(project.root), "news", "--actor", "ada", "--symbol", "btc/usdt"]
    assert control(PAUSE, argv, environment={}, streams=Streams(io.StringIO(), io.StringIO())) == 0
    eventually(lambda: "  REDUCE_ONLY for BTC/USDT: paused, ada: news\n" in shown(project)[1])
    assert not shown(project)[1].startswith("***")
    HaltFile(project.root / "var").make(LATCH)
    code, text = shown(project)
    assert code == 3
    assert text.startswith("*** HALTED by ada, 2026-09-21 14:13:20 UTC, ")
    told = json.loads(shown(project, "--json")[1])
    assert told["latch"] == {"latch_id": "kill-7", "actor": "ada", "reason": LATCH.reason, "set_wall_ns": SET_NS}
    assert (told["well"], told["latch_id"]) == (False, "kill-7")
    assert {"name": "paused", "of": "BTC/USDT", "permission": "REDUCE_ONLY", "reason": "ada: news"} in told[
        "conditions"
    ]
