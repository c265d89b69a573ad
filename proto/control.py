"""What an operator tells the mesh, by command line, dashboard or Telegram: always with a name and a reason.

Risk has the control socket that counts. The executor and the flattener have one as well, so that a kill or a flatten
reaches them with risk dead; risk itself uses those to make them act.
"""

from typing import Annotated, Final

from msgspec import Meta

from proto.fields import Id, Message, Name, Symbol, Text
from proto.risk import LimitUses, Scope

Reason = Annotated[str, Meta(min_length=1, max_length=500)]
# The rule by which a clear is refused where no kill latch stands: there is nothing to do.
NONE_STANDS: Final = "no_latch_stands"


class PauseEntries(Message, frozen=True, tag="pause_entries.1"):
    """No new entries within the scope; exits and covers go on."""

    actor: Name
    reason: Reason
    scope: Scope


class ResumeEntries(Message, frozen=True, tag="resume_entries.1"):
    """Take back the pause of that scope, whoever set it. Risk lifts nothing else.

    The executor lifts whatever it has waiting of that scope until somebody has looked; with `Everything`, of any scope.
    """

    actor: Name
    reason: Reason
    scope: Scope


class Kill(Message, frozen=True, tag="kill.1"):
    """Set the kill latch: no entries, and flatten until flat. However often it is pressed, one clear ends it."""

    actor: Name
    reason: Reason


class AskClearKill(Message, frozen=True, tag="ask_clear_kill.1"):
    """First step of clearing the kill latch: ask for an offer bound to this latch."""

    actor: Name
    reason: Reason
    latch_id: Id


class ClearKillOffered(Message, frozen=True, tag="clear_kill_offered.1"):
    """The answer to the first step: what to repeat in the second, and what stands in the way of trading."""

    latch_id: Id
    offer_id: Id
    summary: Text


class ConfirmClearKill(Message, frozen=True, tag="confirm_clear_kill.1"):
    """Second step: clear this latch. Refused when the latch has changed since the offer."""

    actor: Name
    latch_id: Id
    offer_id: Id


class LiftKill(Message, frozen=True, tag="lift_kill.1"):
    """Risk to executor, once its own journal says that this latch is cleared: clear it in yours."""

    actor: Name
    reason: Reason
    latch_id: Id


class Flatten(Message, frozen=True, tag="flatten.1"):
    """Close what the bot holds in a symbol, or in all when `symbol` is None, without setting the latch."""

    actor: Name
    reason: Reason
    symbol: Symbol | None


class AskLimits(Message, frozen=True, tag="ask_limits.1"):
    """Ask how much of each limit is used."""

    actor: Name


class LimitsAnswered(Message, frozen=True, tag="limits_answered.1"):
    """Every limit with its use."""

    limits: LimitUses


class ControlDone(Message, frozen=True, tag="control_done.1"):
    """The act is journaled and holds."""

    summary: Text


class ControlRefused(Message, frozen=True, tag="control_refused.1"):
    """The act was not done: which rule forbids it, and what to do instead."""

    rule: Name
    reason: Text
