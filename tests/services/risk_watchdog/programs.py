"""The processes around risk, for tests of the real one.

    python -m tests.services.risk_watchdog.programs ROOT feed|executor|killed|killed-clearing

The feed tells one price; the executor reads an account, asks for its lease, takes every approval and begins with it,
and lifts whatever latch it is asked to. Of both nothing more is real. `killed` is risk itself, with a kill -9 behind
the first approval that it has written down, `killed-clearing` behind the first latch that it has written down as
cleared.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from proto.account import InstrumentsTold
from proto.control import ControlDone, LiftKill
from proto.envelope import Body
from proto.market import MarketBody, QuoteSeen, SymbolTrusted
from proto.orders import EntryOpened
from proto.risk import AskLease, LeaseAnswered
from proto.verdicts import Approval, ApprovalTaken, IntentJudged, KillCleared
from services.risk_watchdog.__main__ import plan_of
from services.risk_watchdog.core.watchdog import RiskCore
from shared.core.service import (
    Answer,
    Answered,
    Ask,
    Asked,
    Effect,
    Happening,
    Moment,
    Note,
    Publish,
    Recorded,
    Report,
    Say,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)
from shared.mesh.service import JournaledPlan, Plan, run
from shared.mesh.settings import load_configuration
from tests.services.risk_watchdog.surroundings import a_lot, a_reading

TICK_NS: Final = 100_000_000
SYMBOL: Final = "BTC/USDT"


class OnePriceFeed:
    """Tells the same price again and again, and that it can be trusted."""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Tell it with every tick."""
        match happening:
            case Started() | Woken():
                return (
                    _published("quotes", QuoteSeen(SYMBOL, 99.99, 1.0, 100.01, 1.0), now),
                    _published("trust", SymbolTrusted(SYMBOL), now),
                    WakeAt("tick", now.boot_ns + TICK_NS),
                )
            case StopAsked():
                return (Stop(),)
            case _:
                return ()


class TakingExecutor:
    """Takes what is approved, and writes it down."""

    def __init__(self) -> None:
        self._epoch = self._number = 0
        self._taken: dict[str, Approval] = {}
        self._permission = ""

    def state(self) -> bytes:
        """Return nothing: its journal begins with the test."""
        return b""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Read, ask, take."""
        match happening:
            case Started(epoch=epoch):
                self._epoch = epoch
                return self._tick(now)
            case Woken():
                return self._tick(now)
            case Recorded(envelope=envelope) if isinstance(envelope.body, EntryOpened):
                self._taken[envelope.body.approval.approval_id] = envelope.body.approval
                return ()
            case Asked(envelope=envelope) if isinstance(envelope.body, Approval):
                return self._take(happening, envelope.body)
            case Asked(envelope=envelope) if isinstance(envelope.body, LiftKill):
                return (Answer(happening, ControlDone("it is lifted")),)
            case Answered(envelope=envelope) if isinstance(envelope.body, LeaseAnswered):
                return self._granted(envelope.body)
            case StopAsked():
                return (Stop(),)
            case _:
                return ()

    def _tick(self, now: Moment) -> Sequence[Effect]:
        self._number += 1
        return (
            Say(InstrumentsTold((a_lot(SYMBOL),))),
            Say(a_reading(self._number, venue_time_ns=now.wall_ns)),
            Ask("risk", AskLease(self._number, self._epoch), f"lease-{self._epoch}-{self._number}"),
            WakeAt("tick", now.boot_ns + TICK_NS),
        )

    def _take(self, asked: Asked, approval: Approval) -> Sequence[Effect]:
        taken = Answer(asked, ApprovalTaken(approval.approval_id))
        if approval.approval_id in self._taken:
            return (taken,)
        note = Note("info", "taken", {"approval": approval.approval_id})
        return (Report(EntryOpened(approval), cause_id=approval.approval_id), taken, note)

    def _granted(self, lease: LeaseAnswered) -> Sequence[Effect]:
        before, self._permission = self._permission, lease.permission
        if before == lease.permission:
            return ()
        reasons = [condition.name for condition in lease.conditions]
        return (Note("info", f"may {lease.permission}", {"epoch": lease.risk_epoch, "reasons": reasons}),)


class KilledRisk:
    """Risk, killed between a record and whatever would come of it."""

    def __init__(self, core: RiskCore, kills: Callable[[Body], bool]) -> None:
        self._core: Final = core
        self._kills: Final = kills
        self._begun = False

    def state(self) -> bytes:
        """Return what risk does."""
        return self._core.state()

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Do what risk does."""
        self._begun |= isinstance(happening, Started)
        if self._begun and isinstance(happening, Recorded) and self._kills(happening.envelope.body):
            os.kill(os.getpid(), signal.SIGKILL)
        return self._core.handle(happening, now)


def approves(body: Body) -> bool:
    """Say whether a record approves an entry."""
    return isinstance(body, IntentJudged) and body.approval is not None


def clears(body: Body) -> bool:
    """Say whether a record clears the kill latch."""
    return isinstance(body, KillCleared)


def main() -> int:
    """Run one of them."""
    root, program = Path(sys.argv[1]), sys.argv[2]
    return run(plan_named(program, root), root=root)


def plan_named(program: str, root: Path) -> Plan:
    """Return what one of them is."""
    if program == "feed":
        return Plan(instance="feed", core=OnePriceFeed(), publishes_market=True)
    if program == "executor":
        return JournaledPlan(
            instance="executor",
            core=TakingExecutor(),
            answers=("approvals", "control"),
            says=("account",),
            reports="reports",
        )
    plan = plan_of(load_configuration(root=root, environment={}).settings)
    assert isinstance(plan.core, RiskCore)
    return replace(plan, core=KilledRisk(plan.core, approves if program == "killed" else clears))


def _published(kind: str, body: MarketBody, now: Moment) -> Publish:
    topic = f"binance/{SYMBOL}/{kind}".encode()
    return Publish(topic=topic, body=body, exchange_time_ns=now.wall_ns, received_wall_ns=now.wall_ns)


if __name__ == "__main__":
    sys.exit(main())
