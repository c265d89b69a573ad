"""What stands in the journals, as the executor's next life would begin with it. Pure.

A journal may be long. So it is folded record by record while it is read, which is beside the loop: the core is handed
what came of it, and goes on hearing everybody meanwhile.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from proto.envelope import Envelope
from shared.core.service import InheritanceUnread, Moment, Recorded, RecordsLost, Restored
from shared.execution.adoption import Adoption
from shared.execution.core import ExecutorCore, TradedAccount
from shared.execution.governor import EgressLimits

OURSELVES: Final = "flattener"
BEFORE_IT_BEGINS: Final = Moment(0, 0, "")  # the past is only folded: it makes no difference when


@dataclass(frozen=True, slots=True)
class Past:
    """The executor's engine behind all that was written down by it and in its name, and the newest that it wrote."""

    engine: ExecutorCore
    newest: Envelope | None

    def quiet_ns(self, now: Moment) -> int:
        """Return how old the executor's newest record is; one of another boot is older than this one."""
        if self.newest is None or self.newest.boot_id != now.boot_id:
            return now.boot_ns
        return now.boot_ns - self.newest.sent_boot_ns


class PastFold:
    """Folds the executor's records, and then ours, of which it adopts what it has not adopted yet."""

    def __init__(self, account: TradedAccount, limits: EgressLimits) -> None:
        self.engine: Final = ExecutorCore(account, limits)

    def executor(self, state: bytes, records: Iterable[Recorded | RecordsLost]) -> None:
        """Take in what the executor wrote down since a state."""
        self.engine.handle(Restored(state), BEFORE_IT_BEGINS)
        for record in records:
            self.engine.handle(record, BEFORE_IT_BEGINS)

    def has_adopted(self, state: bytes) -> bool:
        """Say whether the executor's journal has all that stands before a page of ours."""
        return self.engine.books.adopted.reaches(state)

    def ours(self, state: bytes, records: Iterable[Recorded | RecordsLost]) -> None:
        """Take in what we did in its name since a page of ours; whatever stands in its own journal is passed over.

        What is lost of ours is lost of its past as well: the engine takes no name twice, and reads before it sells.
        """
        adoption = Adoption()
        adoption.begin(state)
        for record in records:
            adopted = self.engine.books.adopted
            if isinstance(record, Recorded):
                adoption.inherit(record.envelope, adopted)
            else:
                adoption.miss(InheritanceUnread(OURSELVES, record.reason, record.next_sequence), adopted)
            if adoption.next():
                self.engine.handle(record, BEFORE_IT_BEGINS)
                adoption.recorded()
