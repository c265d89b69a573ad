"""The entry of a symbol that risk is asked for: from the wish until it is opened, refused, or given up."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from proto.envelope import Body
from proto.intents import EnterBracket
from proto.verdicts import IntentApproved, IntentRefused
from services.strategy.core.holding import NOTHING
from shared.core.service import Ask, Effect, Moment, Note

RISK: Final = "risk"
FRESH_NS: Final = 5_000_000_000
TRIES_MAX: Final = 3
# An approval has to be worked within two seconds, and its report to come.
OPENED_NS: Final = 5_000_000_000


def is_fresh(bar_close_time_ns: int, now: Moment) -> bool:
    """Say whether a bar closed just now. One from the future is none: then a clock is wrong, and nobody knows whose."""
    return abs(now.wall_ns - bar_close_time_ns) <= FRESH_NS


class Entry:
    """At most one at a time."""

    def __init__(self) -> None:
        self._intent: EnterBracket | None = None
        self._tries = 0
        self._approved = NOTHING
        self._approved_until_ns = 0

    @property
    def is_asked(self) -> bool:
        """Whether an answer is waited for."""
        return self._intent is not None and not self._approved

    @property
    def ask_id(self) -> str | None:
        """The id of the question, None where nothing is asked."""
        return self._intent.intent_id if self._intent is not None and self.is_asked else None

    def entering(self, now: Moment) -> Decimal:
        """Return how much was approved, and is not known to be worked yet."""
        if self._approved and now.boot_ns > self._approved_until_ns:
            self._clear()
        return self._approved

    def ask(self, intent: EnterBracket) -> Sequence[Effect]:
        """Ask risk for an entry."""
        assert self._intent is None, "one at a time"
        self._intent, self._tries = intent, 1
        return (_asked(intent),)

    def answered(self, answer: Body | None, now: Moment) -> Sequence[Effect]:
        """Take risk's answer; with none, ask again under the same id, as long as the bar is fresh."""
        intent = self._intent
        assert intent is not None, "something was asked"
        details: dict[str, object] = {"intent": intent.intent_id}
        match answer:
            case IntentApproved(quantity_max=quantity):
                self._approved, self._approved_until_ns = quantity, now.boot_ns + OPENED_NS
                return (Note("info", "an entry is approved", details | {"quantity": f"{quantity:f}"}),)
            case IntentRefused(rule=rule, reason=reason):
                self._clear()
                return (Note("info", "an entry is refused", details | {"rule": rule, "reason": reason}),)
            case _ if self._tries < TRIES_MAX and is_fresh(intent.bar_close_time_ns, now):
                self._tries += 1
                return (_asked(intent),)
            case _:
                self._clear()
                return (Note("warning", "an entry is given up: risk does not answer", details),)

    def opened(self, intent_id: str) -> None:
        """Take in that the executor works an entry: from here on its reports tell of it."""
        if self._intent is not None and self._intent.intent_id == intent_id:
            self._clear()

    def _clear(self) -> None:
        self._intent, self._approved = None, NOTHING


def _asked(intent: EnterBracket) -> Ask:
    return Ask(RISK, intent, intent.intent_id)
