"""Risk as a real process: the lease it grants, the approval it hands on, and what a kill -9 leaves of both."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Final

import pytest

from proto.control import (
    AskClearKill,
    AskLimits,
    ClearKillOffered,
    ConfirmClearKill,
    ControlDone,
    Kill,
    LimitsAnswered,
    PauseEntries,
)
from proto.envelope import Body
from proto.intents import EnterBracket
from proto.risk import Everything
from proto.verdicts import (
    Approval,
    HolderRetired,
    IntentApproved,
    IntentJudged,
    IntentRefused,
    KillCleared,
    KillLatched,
)
from services.risk_watchdog.core.judge import UNHEARD
from shared.mesh.clock import SystemClock
from tests.services.risk_watchdog.bench import a_wish
from tests.services.risk_watchdog.programs import SYMBOL
from tests.services.risk_watchdog.risk_project import RiskProject
from tests.services.supervision.harness import eventually

ASKED_MAX: Final = 60


@pytest.fixture
def project() -> Iterator[RiskProject]:
    """Return a project; its processes end with the test."""
    with RiskProject() as project:
        yield project


def approvals(project: RiskProject) -> list[Approval]:
    """Return the approvals in the journal."""
    bodies = [record.body for record in project.records()]
    return [body.approval for body in bodies if isinstance(body, IntentJudged) and body.approval is not None]


def judged_wish(project: RiskProject) -> tuple[EnterBracket, Body]:
    """Ask for an entry, again and again under one id, until risk says what it thinks of it; return it, and that.

    Only where it was refused for want of a hearing, as on a busy machine, is another one asked for.
    """
    number = 0
    for _ in range(ASKED_MAX):
        wish = a_wish(number, SYMBOL)
        answer = project.ask("strategy", "intents", wish, ask_id=wish.intent_id)
        if isinstance(answer, IntentRefused) and answer.rule in UNHEARD:
            number += 1
        elif answer is not None:
            return wish, answer
    raise AssertionError(f"asked {ASKED_MAX} times, risk has judged nothing")


def test_entry_goes_its_way(project: RiskProject) -> None:
    """The executor is granted its lease, a strategy its approval, and the executor takes that one."""
    project.start_around("feed")
    executor = project.start_around("executor")
    risk = project.start_risk()
    assert project.says(executor, "may RUN")["epoch"] == 1
    wish, answer = judged_wish(project)
    assert isinstance(answer, IntentApproved), answer
    assert project.says(executor, "taken")["approval"] == answer.approval_id
    assert project.answered("strategy", "intents", wish) == answer
    assert len(approvals(project)) == 1
    limits = project.answered("operator", "control", AskLimits("ada"))
    assert isinstance(limits, LimitsAnswered)
    assert {use.name: use.used for use in limits.limits}["entries_today_within_limit"] == 1
    paused = project.answered("operator", "control", PauseEntries("ada", "it rains", Everything()))
    assert isinstance(paused, ControlDone)
    assert project.says(executor, "may REDUCE_ONLY")["reasons"] == ["paused"]
    assert project.stop(risk) == 0


def test_verdict_outlives_the_one_who_gave_it(project: RiskProject) -> None:
    """Killed between the record and the answer, the next life has one verdict, and it is that one."""
    project.start_around("feed")
    executor = project.start_around("executor")
    dying = project.start_around("killed")
    project.says(executor, "may RUN")
    with ThreadPoolExecutor(1) as strategy:
        asking = strategy.submit(judged_wish, project)
        assert dying.wait() == -signal.SIGKILL
        (approval,) = approvals(project)
        project.start_risk()
        _, answer = asking.result()
    if SystemClock().boot_ns() <= approval.start_by_boot_ns:
        assert isinstance(answer, IntentApproved)
    if isinstance(answer, IntentApproved):
        assert answer.approval_id == approval.approval_id
    else:
        assert isinstance(answer, IntentRefused)
        assert (answer.rule, answer.value) == ("approval_used_in_time", approval.approval_id)
    assert approvals(project) == [approval]


def test_entry_that_is_worked_stands_in_the_next_life(project: RiskProject) -> None:
    """After a kill -9 risk reads anew what the executor does, so that its approval stands however late it is asked."""
    project.start_around("feed")
    executor = project.start_around("executor")
    risk = project.start_risk()
    project.says(executor, "may RUN")
    wish, answer = judged_wish(project)
    assert isinstance(answer, IntentApproved), answer
    project.says(executor, "taken")
    risk.kill()
    risk.wait()
    project.start_risk()
    (approval,) = approvals(project)
    eventually(lambda: SystemClock().boot_ns() > approval.start_by_boot_ns)
    eventually(lambda: project.ask("strategy", "intents", wish) == answer)
    assert len(approvals(project)) == 1


def test_frozen_executor_is_ended(project: RiskProject) -> None:
    """Four seconds after it stood still, by its lock, and its end stands in the journal with the number it had."""
    executor = project.start_around("executor")
    project.start_risk()
    project.says(executor, "may RUN")
    numbers = count()

    def rule() -> str | None:
        """Ask for an entry, and return the rule by which it is refused."""
        wish = a_wish(next(numbers), SYMBOL)
        answer = project.ask("strategy", "intents", wish, ask_id=wish.intent_id)
        return answer.rule if isinstance(answer, IntentRefused) else None

    eventually(lambda: rule() == "prices_are_good")  # the rule behind those of an executor that is heard to work
    executor.send_signal(signal.SIGSTOP)
    assert executor.wait() == -signal.SIGKILL

    def retired() -> list[HolderRetired]:
        return [record.body for record in project.records() if isinstance(record.body, HolderRetired)]

    eventually(lambda: bool(retired()))
    assert [(one.instance, one.process_id) for one in retired()] == [("executor", executor.pid)]


def test_clear_goes_on_in_the_next_life(project: RiskProject) -> None:
    """Killed right behind the record of the clear: the file is there until the executor lives, and then it goes."""
    risk = project.start_around("killed-clearing")
    halt = project.root / "var/HALT"
    assert isinstance(project.answered("operator", "control", Kill("ada", "it burns")), ControlDone)
    eventually(halt.exists)
    (latched,) = [record.body for record in project.records() if isinstance(record.body, KillLatched)]
    offer = project.answered("operator", "control", AskClearKill("ada", "it was the feed", latched.latch.latch_id))
    assert isinstance(offer, ClearKillOffered)
    with ThreadPoolExecutor(1) as operator:
        confirm = ConfirmClearKill("ada", offer.latch_id, offer.offer_id)
        answer = operator.submit(project.ask, "operator", "control", confirm)
        assert risk.wait() == -signal.SIGKILL
        assert halt.exists()
        project.start_risk()
        answer.result()
    assert project.answered("operator", "control", confirm) == ControlDone(f"{offer.latch_id} is cleared already")
    assert halt.exists()
    project.start_around("executor")
    eventually(lambda: not halt.exists())
    assert len([record for record in project.records() if isinstance(record.body, KillCleared)]) == 1
