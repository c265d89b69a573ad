"""What risk decides. Approved and refused are different messages, so neither can be mistaken for the other."""

from proto.fields import Amount, Count, Id, Message, Name, Price, Quantity, ShortText, Side, Symbol, Text, TimeNs
from proto.intents import Cover, EnterBracket, Targets
from proto.risk import Scope


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


class ApprovalTaken(Message, frozen=True, tag="approval_taken.1"):
    """The executor journaled the approval and works it. Said again, it is taken once."""

    approval_id: Id


class ApprovalDeclined(Message, frozen=True, tag="approval_declined.1"):
    """The executor does not work the approval, so risk frees its reservation."""

    approval_id: Id
    rule: Name
    reason: Text
