"""What risk, executor and flattener wrote down, put together: orders, positions, fills, what led to them. Pure."""

from decimal import Decimal
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.orders import (
    CancelMarked,
    EntryOpened,
    ExitOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    OrderKey,
    PositionChanged,
    SendMarked,
)
from proto.verdicts import (
    Alerted,
    CoverRead,
    CoverTripped,
    DayBegun,
    EntriesResumed,
    EquityRead,
    FlowCounted,
    GuardTripped,
    IntentJudged,
    KillCleared,
    KillLatched,
)

NOTHING: Final = Decimal(0)
OF_THE_FLATTENER: Final = "flattener-"
OF_GUARDS: Final = EquityRead | FlowCounted | DayBegun | Alerted | CoverRead | EntriesResumed
OF_GUARDS_AND_TRIPS: Final = OF_GUARDS | GuardTripped | CoverTripped | KillLatched | KillCleared


class OrderStory(msgspec.Struct):
    """An order from its mark to its end."""

    key: OrderKey
    marked: Envelope
    mark: SendMarked
    state: str = "marked"
    venue_order_id: str = ""
    executed_quantity: Decimal = NOTHING
    executed_quote: Decimal = NOTHING
    why_ended: str = ""


class FillStory(msgspec.Struct):
    """A trade, and the record that tells of it."""

    fill: OrderFilled
    recorded: Envelope


class Story:
    """All that was written down, by the names under which a person may ask for it."""

    def __init__(self) -> None:
        self.orders: Final[dict[str, OrderStory]] = {}
        self.fills: Final[list[FillStory]] = []
        self.positions: Final[dict[tuple[str, str], PositionChanged]] = {}
        self.entries: Final[dict[str, tuple[EntryOpened, Envelope]]] = {}
        self.exits: Final[list[tuple[ExitOpened, Envelope]]] = []
        self.verdicts: Final[dict[str, tuple[IntentJudged, Envelope]]] = {}
        self.guarded: Final[list[Envelope]] = []  # what the account's guards rest on, and what came of them
        self.is_begun = False  # somebody wrote something down
        self._adopted: Final[set[str]] = set()  # records of the flattener's that stand in the executor's journal

    def take(self, envelope: Envelope) -> None:
        """Take in a record of one of the journals; what the executor has adopted is told once."""
        self.is_begun = True
        if self._was_told(envelope):
            return
        if isinstance(envelope.body, OF_GUARDS_AND_TRIPS):
            self.guarded.append(envelope)
            return
        match envelope.body:
            case IntentJudged() as judged:
                self.verdicts[judged.intent.intent_id] = judged, envelope
            case EntryOpened() as entry:
                self.entries[entry.approval.approval_id] = entry, envelope
            case ExitOpened() as found:
                self.exits.append((found, envelope))
            case SendMarked() as mark:
                self.orders[mark.order.client_order_id] = OrderStory(mark.order, envelope, mark)
            case PositionChanged() as changed:
                self.positions[changed.strategy, changed.symbol] = changed
            case OrderAcknowledged() | OrderDoubted() | CancelMarked() | OrderFilled() | OrderEnded() as told:
                story = self.orders.get(told.order.client_order_id)
                if story is not None:
                    self._goes_on(story, told, envelope)
            case _:
                pass

    def _was_told(self, envelope: Envelope) -> bool:
        """Say whether a record of the flattener's was taken in as the executor adopted it."""
        if envelope.cause_id.startswith(OF_THE_FLATTENER) and envelope.cause_id != envelope.id:
            self._adopted.add(envelope.cause_id)
        return envelope.id in self._adopted

    def _goes_on(
        self,
        story: OrderStory,
        told: OrderAcknowledged | OrderDoubted | CancelMarked | OrderFilled | OrderEnded,
        envelope: Envelope,
    ) -> None:
        match told:
            case OrderAcknowledged(venue_order_id=venue_order_id):
                story.state, story.venue_order_id = "open", venue_order_id
            case OrderDoubted(reason=reason):
                story.state, story.why_ended = "in doubt", reason
            case CancelMarked(reason=reason):
                story.state, story.why_ended = "being cancelled", reason
            case OrderFilled() as fill:
                story.executed_quantity += fill.quantity
                story.executed_quote += fill.quote_quantity
                self.fills.append(FillStory(fill, envelope))
            case OrderEnded(ending=ending, reason=reason, venue_code=code):
                story.state, story.why_ended = ending, f"{code} {reason}".strip()

    def orders_named(self, name: str) -> list[OrderStory]:
        """Return the orders that somebody may mean: by our id or the venue's, by a trade, an approval, an intent."""
        if name in self.orders:
            return [self.orders[name]]
        by_trade = {one.fill.order.client_order_id for one in self.fills if str(one.fill.trade_id) == name}
        parents = {
            approval_id
            for approval_id, (entry, _) in self.entries.items()
            if name in {approval_id, entry.approval.intent_id}
        }
        return [
            story
            for client_order_id, story in self.orders.items()
            if client_order_id in by_trade or story.venue_order_id == name or story.key.parent_id in parents
        ]
