"""The executor's journal by order and by entry: what each was, what became of it, and what was known of it when."""

from collections import defaultdict
from decimal import Decimal
from typing import Final, cast

from services.verify.checker.exchange_log import ZERO
from services.verify.checker.journal import Journal, Record
from services.verify.checker.words import (
    CancelMarked,
    EntryEnded,
    EntryOpened,
    OfOrder,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    SendMarked,
)

NEVER_WORKED: Final = frozenset({"rejected", "absent"})
TOLD: Final = (OrderAcknowledged, CancelMarked, OrderDoubted, OrderFilled, OrderEnded)


class Order:
    """One send mark and everything said of that order after it."""

    def __init__(self, mark: Record[SendMarked]) -> None:
        self.mark: Final = mark
        self.fills: Final[list[Record[OrderFilled]]] = []
        self.endings: Final[list[Record[OrderEnded]]] = []
        self.doubts: Final[list[Record[OrderDoubted]]] = []
        self.told: Final[list[Record[OfOrder]]] = []

    @property
    def client_id(self) -> str:
        """Return our name for it."""
        return self.mark.body.order.client_order_id

    @property
    def parent_id(self) -> str:
        """Return what it serves."""
        return self.mark.body.order.parent_id

    @property
    def ended(self) -> Record[OrderEnded] | None:
        """Return the last word on how it ended."""
        return self.endings[-1] if self.endings else None

    @property
    def last(self) -> Record[OfOrder]:
        """Return what was said of it last."""
        return self.told[-1] if self.told else self.mark

    @property
    def executed(self) -> Decimal:
        """Return how much was filled, by its fills."""
        return sum((fill.body.quantity for fill in self.fills), ZERO)

    @property
    def executed_quote(self) -> Decimal:
        """Return what was paid or received for that, without fees."""
        return sum((fill.body.quote_quantity for fill in self.fills), ZERO)

    def ended_before(self, sequence: int) -> bool:
        """Say whether its end was recorded before that record."""
        return any(ending.sequence < sequence for ending in self.endings)

    def not_proved_unfilled(self, sequence: int) -> Decimal:
        """Return how much of it may be filled, as far as was known before that record."""
        if not self.ended_before(sequence):
            return self.mark.body.quantity
        return sum((fill.body.quantity for fill in self.fills if fill.sequence < sequence), ZERO)


class Orders:
    """All orders of a journal by client id, and the entries that some of them work."""

    def __init__(self, journal: Journal | None) -> None:
        """Gather the orders of a journal; without one there are none."""
        self.by_client_id: Final[dict[str, Order]] = {}
        self.of_parent: Final[defaultdict[str, list[Order]]] = defaultdict(list)
        self.marked_again: Final[list[Record[SendMarked]]] = []
        self.never_marked: Final[list[Record[OfOrder]]] = []
        self.opened: Final[defaultdict[str, list[Record[EntryOpened]]]] = defaultdict(list)
        self.entries_ended: Final[defaultdict[str, list[Record[EntryEnded]]]] = defaultdict(list)
        if journal is not None:
            self._read(journal)

    def all(self) -> list[Order]:
        """Return every order, in the order of their marks."""
        return list(self.by_client_id.values())

    def _read(self, journal: Journal) -> None:
        for opened in journal.of(EntryOpened):
            self.opened[opened.body.approval.approval_id].append(opened)
        for ended in journal.of(EntryEnded):
            self.entries_ended[ended.body.approval_id].append(ended)
        for mark in journal.of(SendMarked):
            self._mark(mark)
        self._gather(journal)

    def _mark(self, mark: Record[SendMarked]) -> None:
        order = Order(mark)
        if order.client_id in self.by_client_id:
            self.marked_again.append(mark)
            return
        self.by_client_id[order.client_id] = order
        self.of_parent[order.parent_id].append(order)

    def _gather(self, journal: Journal) -> None:
        told = cast("list[Record[OfOrder]]", [record for record in journal.records if isinstance(record.body, TOLD)])
        for record in told:
            order = self._order_of(record)
            if order is None:
                self.never_marked.append(record)
            else:
                order.told.append(record)
        for fill in journal.of(OrderFilled):
            if (order := self._order_of(fill)) is not None:
                order.fills.append(fill)
        for ending in journal.of(OrderEnded):
            if (order := self._order_of(ending)) is not None:
                order.endings.append(ending)
        for doubt in journal.of(OrderDoubted):
            if (order := self._order_of(doubt)) is not None:
                order.doubts.append(doubt)

    def _order_of(self, record: Record[OfOrder]) -> Order | None:
        """Return the order that a record is about, if it was marked before."""
        order = self.by_client_id.get(record.body.order.client_order_id)
        return None if order is None or record.sequence < order.mark.sequence else order
