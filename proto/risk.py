"""Risk's standing: the lease the executor lives on, and the state everyone may see."""

from typing import Annotated

from msgspec import Meta

from proto.fields import (
    Amount,
    Asset,
    Count,
    Digest,
    Id,
    Message,
    Name,
    Part,
    Permission,
    Quantity,
    Share,
    ShortText,
    Symbol,
    Text,
    TimeNs,
)

CONDITIONS_MAX = 64
LIMITS_MAX = 64


class Anchor(Part, frozen=True):
    """The last record of a journal, kept by a peer, so that a lost tail is noticed: its number and chained hash."""

    sequence: Count
    digest: Digest


class Everything(Part, frozen=True, tag="everything"):
    """The whole mesh."""


class OfSymbol(Part, frozen=True, tag="symbol"):
    """One symbol, whoever trades it."""

    symbol: Symbol


class OfStrategy(Part, frozen=True, tag="strategy"):
    """One strategy, whatever it trades."""

    strategy: Name


Scope = Everything | OfSymbol | OfStrategy


class Condition(Part, frozen=True):
    """One reason why permission is less than RUN within its scope."""

    name: Name
    scope: Scope
    permission: Permission
    reason: ShortText


class Latch(Part, frozen=True):
    """The kill latch as somebody, or a rule, set it. It has no expiry: whoever clears it names its id.

    It stands in the HALT file, in risk's journal and in the executor's: where one of them has it, it holds.
    """

    latch_id: Id
    actor: Name
    reason: Text
    set_wall_ns: TimeNs


class LimitUse(Part, frozen=True):
    """How much of a limit is used, in the limit's own unit. Where something of it is not known `unknown` says why."""

    name: Name
    scope: Scope
    used: Amount | None
    limit: Amount | None
    unit: Asset
    unknown: ShortText | None


Conditions = Annotated[tuple[Condition, ...], Meta(max_length=CONDITIONS_MAX)]
LimitUses = Annotated[tuple[LimitUse, ...], Meta(max_length=LIMITS_MAX)]


class AskLease(Message, frozen=True, tag="ask_lease.1"):
    """The executor asks for its lease, by number. It counts the lease's age from this asking."""

    number: Count
    executor_epoch: Count


class LeaseAnswered(Message, frozen=True, tag="lease_answered.1"):
    """Risk's answer to that number: the permission, and why it is not more.

    `permission` holds everywhere; a condition of a narrower scope says less for its symbol or strategy alone. Where
    there are more conditions than fit, the rest is one condition for everything, of the strictest permission among
    them. `latch` is the kill latch, where it stands in risk's journal: so it comes as far as here without any file.
    """

    number: Count
    risk_epoch: Count
    permission: Permission
    conditions: Conditions
    latch: Latch | None


class RiskSnapshot(Message, frozen=True, tag="risk_snapshot.1"):
    """What risk knows, for everyone to see. `latch_id` is set while the kill latch holds.

    That is also after it was cleared, until the executor has lifted it and its file is gone.
    """

    permission: Permission
    conditions: Conditions
    latch_id: Id | None
    latch_is_cleared: bool
    equity_quote: Amount
    equity_peak_quote: Amount
    equity_day_start_quote: Amount
    day_pnl_quote: Amount
    drawdown_fraction: Share
    exposure_quote: Quantity
    reserved_quote: Quantity
    entries_today: Count
    day_start_ns: TimeNs
    limits: LimitUses
