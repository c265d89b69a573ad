"""An approval's way: handed to the executor until it is taken or too late, and freed when it is over. Pure.

What is remembered here beside the journal is only the talk with the executor. A process that was killed begins it anew:
the id of an approval names the request for ever, so that asking again is asking once.
"""

from collections.abc import Iterator
from typing import Final

from proto.envelope import Body
from proto.fields import clipped, clipped_short
from proto.orders import EntryEnded
from proto.verdicts import (
    ApprovalDeclined,
    ApprovalTaken,
    IntentApproved,
    IntentRefused,
    ReservationFreed,
)
from services.risk_watchdog.core.facts import Facts, Reservation, Verdict
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.terms import EXECUTOR
from shared.core.service import Ask, Moment
from shared.risk.book import NOTHING


class Approvals:
    """The reservations of the journal, and what the executor said to each."""

    def __init__(self, facts: Facts, reports: ExecutorReports) -> None:
        self._facts: Final = facts
        self._reports: Final = reports
        self._asking: Final[set[str]] = set()
        self._taken: Final[set[str]] = set()
        self._declined: Final[dict[str, tuple[str, int]]] = {}  # why, and when we heard of it
        self._over: Final[dict[str, ReservationFreed]] = {}

    def asked(self, now: Moment) -> Iterator[Ask]:
        """Yield the approvals that the executor shall have, and may not have yet."""
        for held in self._facts.reservations.values():
            approval = held.approval
            known = self._asking | self._taken | self._declined.keys() | self._over.keys() | self._reports.opened.keys()
            if approval.approval_id not in known and held.is_in_time(now.boot_ns, now.boot_id):
                self._asking.add(approval.approval_id)
                yield Ask(EXECUTOR, approval, approval.approval_id, cause_id=approval.intent_id)

    def answered(self, ask_id: str, body: Body | None, now: Moment) -> None:
        """Take the executor's answer. Without one, or when its bus refused, it is asked again while there is time.

        What it declines it may have worked before, asked by an earlier life of ours or by an asking whose answer was
        lost: its reports say so, and may still be on their way.
        """
        self._asking.discard(ask_id)
        match body:
            case ApprovalTaken(approval_id=approval_id) if approval_id in self._facts.reservations:
                self._taken.add(approval_id)
            case ApprovalDeclined(approval_id=approval_id) if approval_id in self._facts.reservations:
                self._declined[approval_id] = f"the executor declined it by {body.rule}: {body.reason}", now.boot_ns
            case _:
                pass

    def ended(self, told: EntryEnded) -> None:
        """Take in that an entry is worked no longer."""
        if told.approval_id in self._facts.reservations:
            self._over[told.approval_id] = ReservationFreed(told.approval_id, told.filled_quantity, told.reason)

    def freed(self, now: Moment) -> list[ReservationFreed]:
        """Return what can be freed: what is over, and what expired or was declined and is known never to be worked."""
        for approval_id, held in self._facts.reservations.items():
            if approval_id not in self._over and (reason := self._never_begun(held, now)) is not None:
                self._over[approval_id] = ReservationFreed(approval_id, NOTHING, clipped(reason))
        return list(self._over.values())

    def forget(self, approval_id: str) -> None:
        """Let go of an approval that is freed."""
        self._taken.discard(approval_id)
        self._declined.pop(approval_id, None)
        self._over.pop(approval_id, None)

    def standing(self, verdict: Verdict, now: Moment) -> IntentApproved | IntentRefused:
        """Return what holds of a verdict now: it stands, but for an approval that nobody used in time."""
        if verdict.approval_id is None or verdict.quantity_max is None:
            assert verdict.refusal is not None, "a verdict approves or refuses"
            return verdict.refusal
        held, unworked = self._facts.reservations.get(verdict.approval_id), verdict.unworked
        is_opened = verdict.approval_id in self._reports.opened.keys() | self._taken
        if held is not None and not is_opened and not held.is_in_time(now.boot_ns, now.boot_id):
            unworked = "it has expired, and the executor has not told that it began with it"
        if unworked is None:
            return IntentApproved(verdict.intent_id, verdict.approval_id, verdict.quantity_max)
        return IntentRefused(
            intent_id=verdict.intent_id,
            rule="approval_used_in_time",
            value=clipped_short(verdict.approval_id),
            limit="one approval for each intent, ever",
            reason=clipped(f"it was approved, and nothing came of it: {unworked}"),
        )

    def _never_begun(self, held: Reservation, now: Moment) -> str | None:
        """Say why the executor never begins with it, None while a report that it did may still come."""
        approval_id, read_until_ns = held.approval.approval_id, self._reports.read_until_ns
        if read_until_ns is None or approval_id in self._reports.opened:
            return None
        if approval_id in self._declined:
            reason, heard_ns = self._declined[approval_id]
            return reason if read_until_ns > heard_ns else None
        is_too_late = now.boot_id != held.boot_id or read_until_ns > held.approval.start_by_boot_ns
        return "it expired before the executor began with it" if is_too_late else None
