"""What risk decides. Approved and refused are different messages, so neither can be mistaken for the other."""

from typing import Annotated, Literal

from msgspec import Meta

from proto.account import COUNTED_MAX, Counted
from proto.fields import (
    Amount,
    Asset,
    Count,
    Digest,
    Id,
    Instance,
    Message,
    Name,
    Price,
    Quantity,
    ShortText,
    Side,
    Symbol,
    Text,
    TimeNs,
)
from proto.intents import Cover, EnterBracket, Targets
from proto.risk import Latch, Scope


class IntentApproved(Message, frozen=True, tag="intent_approved.1"):
    """The answer to a strategy: the entry may be worked, up to this quantity, under this approval."""

    intent_id: Id
    approval_id: Id
    quantity_max: Quantity


class IntentRefused(Message, frozen=True, tag="intent_refused.1"):
    """The answer to a strategy: no. An ordinary value: the rule, the number it saw, and the limit it held to."""

    intent_id: Id
    rule: Name
    value: ShortText
    limit: ShortText
    reason: Text


class Approval(Message, frozen=True, tag="approval.1"):
    """Risk to executor: one parent order may be worked within these bounds.

    Both deadlines are boot-time clock under the envelope's `boot_id`: a child may first be sent until `start_by`, and
    none is worked past `work_until`. An approval of another `risk_epoch` than the lease's is void.
    """

    approval_id: Id
    intent_id: Id
    strategy: Name
    symbol: Symbol
    side: Side
    quantity_max: Quantity
    price_low: Price
    price_high: Price
    decision_price: Price
    cover: Cover
    targets: Targets
    trail_distance: Price | None
    reserved_quote: Quantity
    start_by_boot_ns: TimeNs
    work_until_boot_ns: TimeNs
    risk_epoch: Count


class IntentJudged(Message, frozen=True, tag="intent_judged.1"):
    """What risk wrote down before it answered: the intent, and either the approval or the refusal.

    `equity_quote`, `exposure_quote` and `entries_today` are what the verdict rests on, before it.
    """

    intent: EnterBracket
    approval: Approval | None
    refusal: IntentRefused | None
    equity_quote: Amount
    exposure_quote: Quantity
    entries_today: Count


class ReservationFreed(Message, frozen=True, tag="reservation_freed.1"):
    """What an approval reserved is free again: its entry ended, was declined, or expired unheard."""

    approval_id: Id
    filled_quantity: Quantity
    reason: Text


class EntriesPaused(Message, frozen=True, tag="entries_paused.1"):
    """An operator allows no new entries within the scope, until one allows them again."""

    scope: Scope
    actor: Name
    reason: Text


class EntriesResumed(Message, frozen=True, tag="entries_resumed.1"):
    """An operator takes the pause of this scope back."""

    scope: Scope
    actor: Name
    reason: Text


class DayBegun(Message, frozen=True, tag="day_begun.1"):
    """A day of trading begins at 00:00 UTC with this equity, and counts from nothing."""

    day_start_ns: TimeNs
    equity_quote: Amount


class KillLatched(Message, frozen=True, tag="kill_latched.1"):
    """Entries stop and everything is flattened, until an owner clears this latch in two steps."""

    latch: Latch


class KillCleared(Message, frozen=True, tag="kill_cleared.1"):
    """An owner has cleared this latch in two steps. The HALT file goes last: while it is there the latch holds."""

    latch_id: Id
    actor: Name
    reason: Text


class FlowCounted(Message, frozen=True, tag="flow_counted.1"):
    """Money came to the account or left it by another hand than trading's, so that it is no gain and no loss.

    `report_sequence` is the executor's report that told it: each is counted once. A trade by hand of what is counted is
    worth nothing here: it changes one thing into another.
    """

    report_sequence: Count
    asset: Asset
    quantity: Amount
    worth_quote: Amount


class EquityRead(Message, frozen=True, tag="equity_read.1"):
    """A reading of the account that the guards rest on: what is not written down here trips nothing.

    `equity_quote` is by the flattener's own reading, at the venue's prices; `executor_equity_quote` by the executor's
    books at the feed's prices, None where it says nothing. Deposits and withdrawals are still in both. `counted` is
    what there was on the account, and at which prices: so that money that went is told from prices that fell.
    """

    reader_epoch: Count
    read_number: Count
    venue_time_ns: TimeNs
    equity_quote: Amount
    executor_equity_quote: Amount | None
    account_fingerprint: Digest
    quote_asset: Asset
    counted: Annotated[tuple[Counted, ...], Meta(max_length=COUNTED_MAX)]


class GuardTripped(Message, frozen=True, tag="guard_tripped.1"):
    """A guard of the account stops trading. Everything it rests on is in this journal before it.

    `base_quote` is what it counts from, `floor_quote` what equity has come down to or below in two readings.
    """

    trip_id: Id
    guard: Literal["drawdown", "daily_loss"]
    base_quote: Amount
    floor_quote: Amount
    equity_quote: Amount
    reason: Text


class CoverRead(Message, frozen=True, tag="cover_read.1"):
    """A position that is without a stop for too long by the executor's books, and by a reading of the account as well.

    What is not written down here trips nothing. `report_sequence` is the executor's report that told the position so;
    `uncovered_ns` is for how long, by risk's own count. `elsewhere_quantity` is what stops of other positions cover of
    the same coin: what is locked beyond that may be a stop of this one, and what is free is under none.
    """

    reader_epoch: Count
    read_number: Count
    venue_time_ns: TimeNs
    strategy: Name
    symbol: Symbol
    report_sequence: Count
    uncovered_ns: Count
    quantity: Quantity
    covered_quantity: Quantity
    elsewhere_quantity: Quantity
    free_quantity: Quantity
    locked_quantity: Quantity


class CoverTripped(Message, frozen=True, tag="cover_tripped.1"):
    """Risk has a position closed that the executor leaves without a stop. The readings before it say why."""

    trip_id: Id
    strategy: Name
    symbol: Symbol
    quantity: Quantity
    reason: Text


class HolderRetired(Message, frozen=True, tag="holder_retired.1"):
    """A process that made no progress was ended by SIGKILL, so that its supervisor starts it anew."""

    instance: Instance
    process_id: Count
    reason: Text


class Alerted(Message, frozen=True, tag="alerted.1"):
    """Something that a person should know: `name` is the page of the runbook that says what to do."""

    level: Literal["info", "warning", "critical"]
    name: Name
    text: Text


class ApprovalTaken(Message, frozen=True, tag="approval_taken.1"):
    """The executor journaled the approval and works it. Said again, it is taken once."""

    approval_id: Id


class ApprovalDeclined(Message, frozen=True, tag="approval_declined.1"):
    """The executor does not work the approval, so risk frees its reservation."""

    approval_id: Id
    rule: Name
    reason: Text
