"""The two envelopes: a full one for everything that matters, a thin one for market data.

An envelope's own layout never changes. In the full one, which journals keep, `schema` stands first so that, should it
ever have to, both sides refuse; the thin one is kept by nobody, and a change of it is a new version of every body.
"""

from typing import Final, Literal

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
from proto.fields import Count, Id, Instance, TimeNs
from proto.health import Heartbeat, Hello, HopsMeasured
from proto.intents import EnterBracket, ExitRefused, ExitTaken, SetExit
from proto.market import MarketBody
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

SCHEMA: Final = 1
Schema = Literal[1]

Body = (
    EnterBracket
    | SetExit
    | ExitTaken
    | ExitRefused
    | IntentApproved
    | IntentRefused
    | Approval
    | ApprovalTaken
    | ApprovalDeclined
    | IntentJudged
    | ReservationFreed
    | EntriesPaused
    | EntriesResumed
    | DayBegun
    | KillLatched
    | KillCleared
    | FlowCounted
    | EquityRead
    | GuardTripped
    | CoverRead
    | CoverTripped
    | HolderRetired
    | Alerted
    | EntryOpened
    | EntryEnded
    | ExitOpened
    | ExitEnded
    | ExitHeldUp
    | CancelMarked
    | OutsideSeen
    | ConditionSet
    | ConditionCleared
    | AskLease
    | LeaseAnswered
    | SendMarked
    | OrderAcknowledged
    | OrderDoubted
    | OrderFilled
    | OrderEnded
    | PositionChanged
    | ReconcileFinished
    | FlattenBegun
    | FlattenCalledOff
    | FlatnessTold
    | RoleTaken
    | RoleReturned
    | AccountSnapshot
    | InstrumentsTold
    | RiskSnapshot
    | PauseEntries
    | ResumeEntries
    | Kill
    | AskClearKill
    | ClearKillOffered
    | ConfirmClearKill
    | LiftKill
    | Flatten
    | AskLimits
    | LimitsAnswered
    | ControlDone
    | ControlRefused
    | AskSnapshot
    | SnapshotGiven
    | AskTail
    | TailGiven
    | RequestRefused
    | Hello
    | Heartbeat
    | HopsMeasured
    | AskBars
    | BarsGiven
    | AskBook
    | BookGiven
    | FeedCounted
    | AskMeasures
    | MeasuresGiven
    | HopsGiven
)


class Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What surrounds every message that is not market data.

    `sender` is the instance: a role, or a role, a dash and a name where several processes share one (`feed-2`). `epoch`
    grows with every start of it. `sequence` numbers what it says on one socket: where a message is delivered as
    numbered, the journal's own number, which never restarts; else a count within the epoch. `id` names the message and
    stays the same when it is said again; `cause_id` is the id of what led to it, which is how a fill leads back to its
    bar. Deadlines are boot-time clock under `boot_id`: a receiver of another boot must refuse a message that expires.
    """

    schema: Schema
    sender: Instance
    epoch: Count
    sequence: Count
    id: Id
    cause_id: Id
    sent_wall_ns: TimeNs
    boot_id: Id
    sent_boot_ns: TimeNs
    expires_boot_ns: TimeNs | None
    body: Body


class MarketEnvelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What surrounds market data: `sequence` counts per topic within the publisher's `epoch`.

    As thin as it can be: the venue stands in the topic a frame travels under, the version in the tag of its body.
    Three clocks: the exchange's (None where the venue stamps nothing), then the feed's wall clock on receiving and on
    publishing. They measure; freshness is judged by the reader's own boot-time clock.
    """

    epoch: Count
    sequence: Count
    exchange_time_ns: TimeNs | None
    received_wall_ns: TimeNs
    published_wall_ns: TimeNs
    body: MarketBody
