"""What the executor knows for certain: the fold of its journal. Pure.

Nothing here changes but in `fold`, and nothing folds but what is durable. So these books are the same at every instant
as those that a process would have that was killed and read the journal again.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import Name, Symbol
from proto.intents import StopCover
from proto.orders import (
    CancelMarked,
    ConditionCleared,
    ConditionSet,
    EntryEnded,
    EntryOpened,
    ExitEnded,
    ExitOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    OutsideSeen,
    PositionChanged,
    ReconcileFinished,
    SendMarked,
)
from proto.risk import Condition, Scope
from proto.verdicts import Approval
from shared.execution.adoption import Adopted, says_unread
from shared.execution.flattens import Flattens, FlattensState
from shared.execution.orders import Order, opened
from shared.execution.shares import beyond, holes, part
from shared.trading.fills import Fill
from shared.trading.instruments import assets_of
from shared.trading.ledger import Ledger, Line, Source, entry_of, entry_of_fill
from shared.trading.order_life import TERMINAL
from shared.trading.positions import NOTHING_HELD, Positions, PositionsState, SetApart

ENDED_ORDERS_MAX: Final = 2_000  # remembered, so that a late trade of theirs is known for ours
OUTSIDE_MAX: Final = 10_000
CHILDREN_LOST_MAX: Final = 1_000  # of one parent, in the records that a torn end of a journal may have held
NEVER_WORKED: Final = frozenset({"rejected", "absent"})
INTENTS_MAX: Final = 10_000  # each is worked once; those before are long expired

OVERSOLD: Final = "position_oversold"  # a condition: the coins were somebody else's, as far as it is known
OUTSIDE: Final[dict[str, Source]] = {  # an order by another hand has moved nothing yet
    "opening": "opening",
    "trade": "outside",
    "transfer": "transfers",
    "unexplained": "outside",
}

Place = tuple[Name, Symbol]


class Entry(msgspec.Struct):
    """An approval that is worked."""

    approval: Approval
    opened_epoch: int


class Exit(msgspec.Struct):
    """The lowest target of a position."""

    parent_id: str
    exit_id: str
    target_quantity: Decimal
    reason: str
    is_of_flatten: bool = False  # and over with it


class Protection(msgspec.Struct):
    """At which price a position is covered, and the parent of the orders that cover it."""

    parent_id: str
    stop_price: Decimal


class BooksState(msgspec.Struct):
    """All that the books know, from which the same can be made again."""

    positions: PositionsState
    sums: tuple[Line, ...]
    orders: list[Order]
    entries: list[Entry]
    exits: list[tuple[Name, Symbol, Exit]]
    protections: list[tuple[Name, Symbol, Protection]]
    children: dict[str, int]
    intents: list[str]
    conditions: list[Condition]
    next_trade_ids: dict[Symbol, int]
    opened_venue_ns: int | None
    outside: list[str]
    passes: int
    told: list[PositionChanged]
    children_lost: int
    adopted: Adopted = Adopted()
    flattens: FlattensState = FlattensState()
    is_unread: bool = False
    account: str = ""  # of a journal from before this was written down


class Books:
    """Orders, entries, exits, positions, balances: as they stand."""

    def __init__(self, account: str) -> None:
        self.account = account  # by its name: the one that the journal is of
        self.positions = Positions(NOTHING_HELD)
        self.ledger = Ledger()
        self.orders: dict[str, Order] = {}
        self.entries: dict[str, Entry] = {}
        self.exits: dict[Place, Exit] = {}
        self.protections: dict[Place, Protection] = {}
        self.conditions: dict[tuple[Name, Scope], Condition] = {}
        self.next_trade_ids: dict[Symbol, int] = {}
        self.opened_venue_ns: int | None = None  # when the balances were read that the books began with
        self.outside: dict[str, None] = {}  # by their references, once they are in the books
        self.passes = 0
        self.is_unread = False  # records were lost, and the venue was not read since
        self.flattens: Final = Flattens()
        self.told: dict[Place, PositionChanged] = {}  # positions as others know them, but for those of nothing
        self.adopted = Adopted()
        self._working: dict[str, Order] = {}  # those of the orders that have not ended
        self._children: dict[str, int] = {}
        self._children_lost = 0  # as many orders of a parent may have been marked in records that are lost
        self._intents: dict[str, None] = {}
        self._by_venue_id: dict[tuple[Symbol, str], Order] = {}

    def state(self) -> bytes:
        """Return everything, for the head of a new segment of the journal."""
        return msgspec.json.encode(
            BooksState(
                positions=self.positions.state(),
                sums=self.ledger.state(),
                orders=list(self.orders.values()),
                entries=list(self.entries.values()),
                exits=[(*place, found) for place, found in self.exits.items()],
                protections=[(*place, found) for place, found in self.protections.items()],
                children=self._children,
                intents=list(self._intents),
                conditions=list(self.conditions.values()),
                next_trade_ids=self.next_trade_ids,
                opened_venue_ns=self.opened_venue_ns,
                outside=list(self.outside),
                passes=self.passes,
                told=list(self.told.values()),
                children_lost=self._children_lost,
                adopted=self.adopted,
                flattens=self.flattens.state(),
                is_unread=self.is_unread,
                account=self.account,
            )
        )

    def restore(self, state: bytes) -> None:
        """Begin with what `state` returned."""
        known = msgspec.json.decode(state, type=BooksState)
        self.positions, self.ledger = Positions(known.positions), Ledger(known.sums)
        self.orders = {order.client_order_id: order for order in known.orders}
        self._working = {order.client_order_id: order for order in known.orders if order.life not in TERMINAL}
        self._by_venue_id = {
            (order.key.symbol, order.venue_order_id): order for order in known.orders if order.venue_order_id
        }
        self.entries = {entry.approval.approval_id: entry for entry in known.entries}
        self.exits = {(strategy, symbol): found for strategy, symbol, found in known.exits}
        self.protections = {(strategy, symbol): found for strategy, symbol, found in known.protections}
        self._children, self._intents = known.children, dict.fromkeys(known.intents)
        self.conditions = {(condition.name, condition.scope): condition for condition in known.conditions}
        self.next_trade_ids, self.passes, self._children_lost = known.next_trade_ids, known.passes, known.children_lost
        self.opened_venue_ns, self.outside = known.opened_venue_ns, dict.fromkeys(known.outside)
        self.told = {(one.strategy, one.symbol): one for one in known.told}
        self.account, self.adopted, self.is_unread = known.account or self.account, known.adopted, known.is_unread
        self.flattens.restore(known.flattens)

    def fold(self, envelope: Envelope) -> None:
        """Take in a record of the journal."""
        self._adopt(envelope)
        self.flattens.fold(envelope)
        match envelope.body:
            case SendMarked() as mark:
                self._marked(mark, envelope)
            case OrderAcknowledged() | OrderDoubted() | CancelMarked() | OrderFilled() | OrderEnded() as told:
                self._order_told(told, envelope)
            case EntryOpened() | EntryEnded() | ExitOpened() | ExitEnded() as parent:
                self._parent(parent, envelope)
            case OutsideSeen() as seen:
                self._outside(seen)
            case ConditionSet(condition=condition):
                self.conditions[condition.name, condition.scope] = condition
            case ConditionCleared(name=name, scope=scope):
                self._cleared(name, scope)
            case ReconcileFinished(pass_number=number, trades_read=trades_read):
                self.passes, self.is_unread = number, False
                self.next_trade_ids |= {read.symbol: read.next_trade_id for read in trades_read}
            case PositionChanged(strategy=strategy, symbol=symbol, quantity=quantity) as changed:
                self.told.pop((strategy, symbol), None)  # ours follow from the fills: this is what others know
                if quantity:
                    self.told[strategy, symbol] = changed
            case _:
                pass

    def lose_records(self) -> None:
        """Go on with numbers of orders beyond whatever is lost: a name is used once. And read what was done."""
        self._children_lost, self.is_unread = self._children_lost + CHILDREN_LOST_MAX, True
        self._children = {parent_id: number + CHILDREN_LOST_MAX for parent_id, number in self._children.items()}

    def has_worked(self, intent_id: str) -> bool:
        """Say whether an intent was ever worked."""
        return intent_id in self._intents

    def is_entered(self, place: Place) -> bool:
        """Say whether an entry of a place is worked."""
        return any((entry.approval.strategy, entry.approval.symbol) == place for entry in self.entries.values())

    def places(self) -> list[Place]:
        """Return wherever something is held or worked."""
        places = dict.fromkeys((position.strategy, position.symbol) for position in self.positions.held())
        places |= dict.fromkeys((e.approval.strategy, e.approval.symbol) for e in self.entries.values())
        places |= dict.fromkeys(self.exits)
        places |= dict.fromkeys(order.place for order in self.working())
        return list(places)

    def next_child(self, parent_id: str) -> int:
        """Return the number of a parent's next order."""
        return self._children.get(parent_id, self._children_lost) + 1

    def order_of(self, symbol: Symbol, venue_order_id: str) -> Order | None:
        """Return our order that the venue knows under this id."""
        return self._by_venue_id.get((symbol, venue_order_id))

    def working(self, place: Place | None = None) -> list[Order]:
        """Return the orders that have not ended, of one place or of all."""
        return [order for order in self._working.values() if place is None or order.place == place]

    def _adopt(self, envelope: Envelope) -> None:
        self.adopted = self.adopted.and_then(envelope)
        if says_unread(envelope.body):
            self.lose_records()  # names that were used may be among what nobody can read

    def _marked(self, mark: SendMarked, envelope: Envelope) -> None:
        order = opened(mark, envelope)
        self.orders[order.client_order_id] = self._working[order.client_order_id] = order
        self._children[mark.order.parent_id] = mark.child_number
        parents = {"exit": self.exits.get(order.place), "cover": self.protections.get(order.place)}
        if (parent := parents.get(mark.order.purpose)) is not None:
            parent.parent_id = mark.order.parent_id  # one that the flattener opened has its name from there

    def _order_told(
        self, told: OrderAcknowledged | OrderDoubted | CancelMarked | OrderFilled | OrderEnded, envelope: Envelope
    ) -> None:
        order = self.orders.get(told.order.client_order_id)
        if order is None:
            return  # its mark was lost with our tail, and the flattener had read it
        match told:
            case OrderAcknowledged():
                order.happened("voided" if order.life in NEVER_WORKED else "acknowledged")
                if order.life not in TERMINAL:
                    self._working[order.client_order_id] = order
                order.venue_order_id = told.venue_order_id
                self._by_venue_id[order.key.symbol, order.venue_order_id] = order
            case OrderDoubted():
                order.happened("doubted")
            case CancelMarked():
                order.happened("cancel_sent")
            case OrderFilled():
                self._filled(order, told, envelope)
            case OrderEnded():
                order.happened(told.ending)
        if order.life in TERMINAL:
            self._working.pop(order.client_order_id, None)
            self._forget_ended()

    def _filled(self, order: Order, fill: OrderFilled, envelope: Envelope) -> None:
        booked = _booked(order, fill)
        if self.positions.fold(booked) in {"repeated", "forgotten"}:
            return
        self.ledger.post(entry_of_fill(booked))
        order.filled(fill.quantity, fill.quote_quantity)
        entry = self.entries.get(order.key.parent_id)
        if entry is not None and isinstance(entry.approval.cover, StopCover):
            self._protect(order.place, entry.approval.cover.stop_price, envelope)
        self._unprotect_nothing(order.place)

    def _parent(self, parent: EntryOpened | EntryEnded | ExitOpened | ExitEnded, envelope: Envelope) -> None:
        match parent:
            case EntryOpened(approval=approval):
                self.entries[approval.approval_id] = Entry(approval, envelope.epoch)
                self._intents[approval.intent_id] = None
                if len(self._intents) > INTENTS_MAX:
                    del self._intents[next(iter(self._intents))]
            case EntryEnded(approval_id=approval_id, strategy=strategy, symbol=symbol):
                self.entries.pop(approval_id, None)
                self._children.pop(approval_id, None)
                self._unprotect_nothing((strategy, symbol))
            case ExitOpened(strategy=strategy, symbol=symbol):
                self._forget_children(self.exits.get((strategy, symbol)))
                self.exits[strategy, symbol] = Exit(
                    parent_id=_unique("exit", envelope),
                    exit_id=parent.exit_id,
                    target_quantity=parent.target_quantity,
                    reason=parent.reason,
                    is_of_flatten=self.flattens.has_opened(parent.exit_id),
                )
            case ExitEnded(strategy=strategy, symbol=symbol):
                self._forget_children(self.exits.pop((strategy, symbol), None))
                self._set_apart(part(self.positions.of(strategy, symbol), parent.quantity_left, "dust"))

    def _protect(self, place: Place, stop_price: Decimal, envelope: Envelope) -> None:
        """Cover what was bought. Of two entries the nearer stop holds for both: cover is only ever tightened."""
        known = self.protections.get(place)
        if known is None or stop_price > known.stop_price:
            self._forget_children(known)
            self.protections[place] = Protection(_unique("cover", envelope), stop_price)

    def _forget_children(self, parent: Exit | Protection | None) -> None:
        if parent is not None:
            self._children.pop(parent.parent_id, None)

    def _outside(self, seen: OutsideSeen) -> None:
        if seen.kind == "opening":
            self.opened_venue_ns = seen.venue_time_ns
        self.outside[seen.reference] = None
        if len(self.outside) > OUTSIDE_MAX:
            del self.outside[next(iter(self.outside))]
        source = OUTSIDE.get(seen.kind)
        if source is not None:
            self.ledger.post(entry_of(source, {seen.asset: seen.quantity}))
            held = [position for position in self.positions.held() if assets_of(position.symbol)[0] == seen.asset]
            self._set_apart(beyond(held, self.ledger.balance(seen.asset)))

    def _cleared(self, name: Name, scope: Scope) -> None:
        self.conditions.pop((name, scope), None)
        if name == OVERSOLD:  # an operator has looked at that
            held = self.positions.held()
            self._set_apart(holes(one for one in held if not self.working((one.strategy, one.symbol))))

    def _set_apart(self, parts: Iterable[SetApart]) -> None:
        for one in parts:
            self.positions.set_apart(one)
            self._unprotect_nothing((one.strategy, one.symbol))

    def _unprotect_nothing(self, place: Place) -> None:
        """Let go of the protection of a position that is none any more, nor about to be one."""
        if not self.positions.of(*place).owned and not self.is_entered(place):
            self._forget_children(self.protections.pop(place, None))

    def _forget_ended(self) -> None:
        if len(self.orders) - len(self._working) <= ENDED_ORDERS_MAX:
            return
        oldest = next(order for order in self.orders.values() if order.life in TERMINAL)
        del self.orders[oldest.client_order_id]
        self._by_venue_id.pop((oldest.key.symbol, oldest.venue_order_id), None)


def _booked(order: Order, fill: OrderFilled) -> Fill:
    base, quote = assets_of(order.key.symbol)
    return Fill(
        strategy=order.key.strategy,
        symbol=order.key.symbol,
        base=base,
        quote=quote,
        side=order.key.side,
        trade_id=fill.trade_id,
        price=fill.price,
        quantity=fill.quantity,
        quote_quantity=fill.quote_quantity,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
    )


def _unique(kind: str, envelope: Envelope) -> str:
    """Return a parent's id that no other journal of this account can have: numbers begin anew where one is lost."""
    return f"{kind}-{envelope.sequence}-{envelope.sent_wall_ns}"
