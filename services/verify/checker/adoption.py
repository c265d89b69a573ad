"""What executor and flattener did, as one history: who held the executor's role when, and what the executor adopted.

While the flattener holds the role it marks its orders in its own journal. The executor's next life writes all of that
into its own, word for word, each record under the id of the original as its cause. Judged is what was said first.
"""

from dataclasses import dataclass, replace
from typing import Final

from services.verify.checker.journal import Journal, Record
from services.verify.checker.verdict import Judge, Place
from services.verify.checker.words import RoleReturned, RoleTaken, SendMarked, Word

EXECUTOR: Final = "executor"
OF_THE_FLATTENER: Final = "flattener-"
NOT_ADOPTED: Final = (RoleTaken, RoleReturned)


@dataclass(slots=True)
class _Tenure:
    """How long the flattener held the executor's role, by its own records."""

    epoch: int
    taken: Record[Word]
    last: Record[Word]

    def covers(self, record: Record[Word]) -> bool:
        """Say whether something was written meanwhile."""
        same_boot = record.boot_id == self.taken.boot_id
        return same_boot and self.taken.boot_ns < record.boot_ns < self.last.boot_ns


def as_one(executor: Journal | None, flattener: Journal | None) -> Journal | None:
    """Return the executor's journal with the flattener's records where it adopted them, and the rest behind."""
    if executor is None or flattener is None or not flattener.records:
        return executor
    epochs = {record.id: tenure.epoch for tenure in _tenures(flattener) for record in _of(tenure, flattener)}
    originals = {record.id: record for record in flattener.records}
    together, adopted = Journal(executor.name), set[str]()
    for record in executor.records:
        original = originals.get(record.cause_id)
        if original is None:
            together.add(record)
            continue
        adopted.add(original.id)
        here = replace(original, journal=executor.name, sequence=record.sequence, group=record.group)
        together.add(replace(here, sender=executor.name, epoch=epochs.get(original.id, record.epoch)))
    last = executor.records[-1].sequence if executor.records else 0
    for original in flattener.records:
        if original.id in epochs and original.id not in adopted:
            last += 1
            here = replace(original, journal=executor.name, sequence=last, group=last, sender=executor.name)
            together.add(replace(here, epoch=epochs[original.id]))
    return together


def judge_adoption(executor: Journal | None, flattener: Journal | None, judge: Judge, *, settled: bool) -> None:
    """Judge that one of the two wrote at a time, and that the executor adopted each record once, as it was."""
    if flattener is None:
        return
    tenures = _tenures(flattener)
    held = {record.id for tenure in tenures for record in _of(tenure, flattener)}
    for mark in flattener.of(SendMarked):
        what = "the flattener marks an order, and does not hold the executor's role"
        judge.hold("I21", what, mark.place(mark.body.order.client_order_id), holds=mark.id in held)
    if executor is None:
        return
    _judge_tenures(tenures, executor, judge)
    _judge_adopted(executor, flattener, held, judge, settled=settled)


def _judge_tenures(tenures: list[_Tenure], executor: Journal, judge: Judge) -> None:
    for tenure in tenures:
        before = [record.epoch for record in executor.records if _is_before(record, tenure.taken)]
        what = f"the executor's role is taken in epoch {tenure.epoch}, after its epoch {max(before, default=0)}"
        judge.hold("I21", what, tenure.taken.place(), holds=tenure.epoch > max(before, default=0))
    for record in executor.records:
        meanwhile = [tenure for tenure in tenures if tenure.covers(record)]
        what = "the executor writes while the flattener holds its role"
        judge.hold("I21", what, record.place(), holds=not meanwhile)


def _is_before(record: Record[Word], taken: Record[Word]) -> bool:
    return record.boot_id == taken.boot_id and record.boot_ns < taken.boot_ns


def _judge_adopted(executor: Journal, flattener: Journal, held: set[str], judge: Judge, *, settled: bool) -> None:
    """Hold each adopted record against its original."""
    originals = {record.id: record for record in flattener.records}
    highest = 0
    for record in executor.records:
        if not record.cause_id.startswith(OF_THE_FLATTENER):
            continue
        original = originals.get(record.cause_id)
        what = f"it is said to come from {record.cause_id}, which the flattener never wrote so"
        judge.hold("I26", what, record.place(), holds=original is not None and original.body == record.body)
        if original is not None:
            what = f"record {original.sequence} of the flattener is adopted after {highest}"
            judge.hold("I26", what, record.place(), holds=original.sequence > highest)
            highest = max(highest, original.sequence)
    if settled and executor.records:
        missing = [one for one in flattener.records if one.id in held and one.sequence > highest]
        place = missing[0].place() if missing else Place(flattener.name)
        judge.hold("I30", "what the flattener did was never adopted by the executor", place, holds=not missing)


def _tenures(flattener: Journal) -> list[_Tenure]:
    """Return when the flattener held the executor's role; its own end lets go of it, too."""
    found: list[_Tenure] = []
    current: _Tenure | None = None
    for record in flattener.records:
        if current is not None and record.epoch != current.taken.epoch:
            current = None
        match record.body:
            case RoleTaken(instance=instance, epoch=epoch) if instance == EXECUTOR:
                current = _Tenure(epoch, record, record)
                found.append(current)
            case RoleReturned(instance=instance) if instance == EXECUTOR and current is not None:
                current.last, current = record, None
            case _ if current is not None:
                current.last = record
            case _:
                pass
    return found


def _of(tenure: _Tenure, flattener: Journal) -> list[Record[Word]]:
    """Return what was written under a tenure, without the words that open and close it."""
    return [
        record
        for record in flattener.records
        if tenure.taken.sequence < record.sequence <= tenure.last.sequence and not isinstance(record.body, NOT_ADOPTED)
    ]
