"""Which message goes where: its socket, how it is delivered, and which roles may send it. One row per message.

A socket belongs to a process, and several may have one of the same name: the executor, the flattener and risk each have
a `control`. An answer is found by its request; every other message is where its row says.

The bus refuses a message whose sender has no right to it, by the key the peer proved and not by what the envelope says.
"""

from enum import StrEnum
from typing import Final, get_args

import msgspec

from proto.account import AccountSnapshot, InstrumentsTold
from proto.bars import AskBars, AskBook, BarsGiven, BookGiven
from proto.control import (
    AskClearKill,
    AskLimits,
    ClearKillOffered,
    ConfirmClearKill,
    ControlDone,
    ControlRefused,
    Flatten,
    Kill,
    LiftKill,
    LimitsAnswered,
    PauseEntries,
    ResumeEntries,
)
from proto.fencing import RoleReturned, RoleTaken
from proto.fields import MarketMessage, Message, Role
from proto.health import Heartbeat, Hello, HopsMeasured
from proto.intents import EnterBracket, ExitRefused, ExitTaken, SetExit
from proto.market import (
    BarClosed,
    BookChanged,
    BookSnapshot,
    LinkLost,
    LinkOpened,
    QuoteSeen,
    SymbolDoubted,
    SymbolTrusted,
    TradeSeen,
)
from proto.measures import AskMeasures, FeedCounted, HopsGiven, MeasuresGiven
from proto.orders import (
    CancelMarked,
    ConditionCleared,
    ConditionSet,
    EntryEnded,
    EntryOpened,
    ExitEnded,
    ExitHeldUp,
    ExitOpened,
    FlatnessTold,
    FlattenBegun,
    FlattenCalledOff,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    OutsideSeen,
    PositionChanged,
    ReconcileFinished,
    SendMarked,
)
from proto.risk import AskLease, LeaseAnswered, RiskSnapshot
from proto.streams import AskSnapshot, AskTail, RequestRefused, SnapshotGiven, TailGiven
from proto.verdicts import (
    Alerted,
    Approval,
    ApprovalDeclined,
    ApprovalTaken,
    CoverRead,
    CoverTripped,
    DayBegun,
    EntriesPaused,
    EntriesResumed,
    EquityRead,
    FlowCounted,
    GuardTripped,
    HolderRetired,
    IntentApproved,
    IntentJudged,
    IntentRefused,
    KillCleared,
    KillLatched,
    ReservationFreed,
)


class Delivery(StrEnum):
    """What a receiver may count on."""

    STREAM = "stream"  # may be lost; a gap in the numbers is seen and a snapshot closes it
    NUMBERED = "numbered"  # journaled by its sender; every reader sees each one once and in order
    REQUEST = "request"  # answered once or timed out; said again under the same id it is the same request
    READING = "reading"  # a request for what is so at this moment: said again it is read again
    ANSWER = "answer"  # goes back to the asker, under the id of the request
    LATEST = "latest"  # only the newest counts; losing one costs nothing


class Topic(msgspec.Struct, frozen=True):
    """One row of the table. `socket` names the address, `senders` who may speak there with this message."""

    message: type[Message] | type[MarketMessage]
    socket: str
    delivery: Delivery
    senders: frozenset[Role]

    @property
    def tag(self) -> str:
        """What stands on the wire for this message: kind and version."""
        return tag_of(self.message)


def tag_of(message: type[Message] | type[MarketMessage]) -> str:
    """Name a message class as the wire does."""
    return str(message.__struct_config__.tag)


ANY_SOCKET: Final = "any"  # wherever requests are asked

_EVERYONE: Final[frozenset[Role]] = frozenset(get_args(Role))
_OPERATORS: Final[tuple[Role, ...]] = ("operator", "dashboard", "telegram")
_VENUE_KEYS: Final[tuple[Role, ...]] = ("executor", "flattener")

# What moves an order crosses these sockets, and a frame there is small; elsewhere it may be as large as any envelope.
ORDER_SOCKETS: Final = frozenset({"intents", "approvals", "exits", "lease", "reports", "verdicts", "control"})
ORDER_BYTES_MAX: Final = 64 * 1024


def _topic(message: type[Message] | type[MarketMessage], socket: str, delivery: Delivery, *senders: Role) -> Topic:
    return Topic(message=message, socket=socket, delivery=delivery, senders=frozenset(senders))


TOPICS: Final[tuple[Topic, ...]] = (
    # Market data, from the feed-handler to whoever subscribes
    _topic(TradeSeen, "market", Delivery.STREAM, "feed"),
    _topic(QuoteSeen, "market", Delivery.STREAM, "feed"),
    _topic(BookSnapshot, "market", Delivery.STREAM, "feed"),
    _topic(BookChanged, "market", Delivery.STREAM, "feed"),
    _topic(BarClosed, "market", Delivery.STREAM, "feed"),
    _topic(LinkOpened, "market", Delivery.STREAM, "feed"),
    _topic(LinkLost, "market", Delivery.STREAM, "feed"),
    _topic(SymbolDoubted, "market", Delivery.STREAM, "feed"),
    _topic(SymbolTrusted, "market", Delivery.STREAM, "feed"),
    _topic(FeedCounted, "counts", Delivery.LATEST, "feed"),
    # A strategy asks risk for an entry
    _topic(EnterBracket, "intents", Delivery.REQUEST, "strategy"),
    _topic(IntentApproved, "intents", Delivery.ANSWER, "risk"),
    _topic(IntentRefused, "intents", Delivery.ANSWER, "risk"),
    # Risk hands the executor what it approved
    _topic(Approval, "approvals", Delivery.REQUEST, "risk"),
    _topic(ApprovalTaken, "approvals", Delivery.ANSWER, "executor"),
    _topic(ApprovalDeclined, "approvals", Delivery.ANSWER, "executor"),
    # Exits never wait for risk
    _topic(SetExit, "exits", Delivery.REQUEST, "strategy", "risk", "operator"),
    _topic(ExitTaken, "exits", Delivery.ANSWER, "executor"),
    _topic(ExitRefused, "exits", Delivery.ANSWER, "executor"),
    # The executor lives on a lease
    _topic(AskLease, "lease", Delivery.REQUEST, "executor"),
    _topic(LeaseAnswered, "lease", Delivery.ANSWER, "risk"),
    # What the executor did, and what the account holds
    _topic(EntryOpened, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(EntryEnded, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(ExitOpened, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(ExitEnded, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(ExitHeldUp, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(CancelMarked, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(OutsideSeen, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(ConditionSet, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(ConditionCleared, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(SendMarked, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(OrderAcknowledged, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(OrderDoubted, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(OrderFilled, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(OrderEnded, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(PositionChanged, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(ReconcileFinished, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(FlattenBegun, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(FlattenCalledOff, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(FlatnessTold, "reports", Delivery.NUMBERED, *_VENUE_KEYS),
    _topic(RoleTaken, "reports", Delivery.NUMBERED, "flattener"),
    _topic(RoleReturned, "reports", Delivery.NUMBERED, "flattener"),
    # What risk decided
    _topic(IntentJudged, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(ReservationFreed, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(EntriesPaused, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(EntriesResumed, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(DayBegun, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(KillLatched, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(KillCleared, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(FlowCounted, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(EquityRead, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(GuardTripped, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(CoverRead, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(CoverTripped, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(HolderRetired, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(Alerted, "verdicts", Delivery.NUMBERED, "risk"),
    _topic(AccountSnapshot, "account", Delivery.LATEST, *_VENUE_KEYS),
    _topic(InstrumentsTold, "account", Delivery.LATEST, "executor"),
    _topic(RiskSnapshot, "risk", Delivery.LATEST, "risk"),
    # Operators control the mesh
    _topic(PauseEntries, "control", Delivery.REQUEST, *_OPERATORS),
    _topic(ResumeEntries, "control", Delivery.REQUEST, *_OPERATORS),
    _topic(Kill, "control", Delivery.REQUEST, *_OPERATORS, "risk"),
    _topic(AskClearKill, "control", Delivery.REQUEST, *_OPERATORS),
    _topic(ConfirmClearKill, "control", Delivery.REQUEST, *_OPERATORS),
    _topic(LiftKill, "control", Delivery.REQUEST, "risk"),
    _topic(Flatten, "control", Delivery.REQUEST, *_OPERATORS, "risk"),
    _topic(AskLimits, "control", Delivery.READING, *_OPERATORS),
    _topic(ClearKillOffered, "control", Delivery.ANSWER, "risk"),
    _topic(LimitsAnswered, "control", Delivery.ANSWER, "risk"),
    _topic(ControlDone, "control", Delivery.ANSWER, "risk", *_VENUE_KEYS),
    _topic(ControlRefused, "control", Delivery.ANSWER, "risk", *_VENUE_KEYS),
    # Readers catch up, and every request may be turned away
    _topic(AskSnapshot, "history", Delivery.READING, *_EVERYONE - {"feed"}),
    _topic(SnapshotGiven, "history", Delivery.ANSWER, "feed"),
    _topic(AskBars, "history", Delivery.READING, *_EVERYONE - {"feed"}),
    _topic(BarsGiven, "history", Delivery.ANSWER, "feed"),
    _topic(AskBook, "history", Delivery.READING, *_EVERYONE - {"feed"}),
    _topic(BookGiven, "history", Delivery.ANSWER, "feed"),
    _topic(AskTail, "tail", Delivery.READING, *_EVERYONE),
    _topic(TailGiven, "tail", Delivery.ANSWER, "risk", "executor", "flattener"),
    _topic(RequestRefused, ANY_SOCKET, Delivery.ANSWER, *_EVERYONE),
    # Every process says who it is and that it moves
    _topic(Hello, "health", Delivery.LATEST, *_EVERYONE),
    _topic(Heartbeat, "health", Delivery.LATEST, *_EVERYONE),
    _topic(HopsMeasured, "health", Delivery.LATEST, *_EVERYONE),
    # Metrics gathers it all for people to look at
    _topic(AskMeasures, "snapshot", Delivery.READING, *_EVERYONE - {"metrics"}),
    _topic(MeasuresGiven, "snapshot", Delivery.ANSWER, "metrics"),
    _topic(HopsGiven, "snapshot", Delivery.ANSWER, "metrics"),
)

_BY_MESSAGE: Final = {topic.message: topic for topic in TOPICS}


def topic_of(message: type[Message] | type[MarketMessage]) -> Topic:
    """Find the row of a message; a message without one is a defect, and a test says so."""
    return _BY_MESSAGE[message]
