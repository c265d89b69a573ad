"""Whether an entry may be sent now: by risk's lease, and by what the executor itself holds against it. Pure.

Nothing here ever stands against an order that reduces risk.
"""

from collections.abc import Sequence
from typing import Final

from proto.envelope import Envelope
from proto.fields import Name, Symbol, clipped
from proto.risk import AskLease, Condition, Everything, LeaseAnswered, OfStrategy, OfSymbol
from proto.verdicts import Approval
from shared.core.lease import LeaseBook
from shared.core.scopes import scope_words
from shared.core.service import Ask, BeWary, Moment, Note
from shared.execution.allowance import CLOSED, Allowance
from shared.execution.books import Books
from shared.execution.key_rights import KeyRights
from shared.execution.latching import Latching
from shared.execution.vocabulary import VenueClock
from shared.market.prices import Prices

RISK: Final = "risk"
SIGN_NS_MAX: Final = 2_000_000_000  # the lease's age up to which an entry is signed
WITHDRAWN_NS: Final = 5_000_000_000  # the age from which resting entries are cancelled
CLOCK_UNCERTAINTY_NS_MAX: Final = 500_000_000
NS_PER_SECOND: Final = 1_000_000_000
UNREAD: Final = "the books are not yet held against the venue's"
RIGHTS_UNKNOWN: Final = "the venue does not say what the key may do"

Refusal = tuple[Name, str]  # the rule, and what it saw


class Leave:
    """What stands against entries."""

    def __init__(self, books: Books, latching: Latching, prices: Prices, allowance: Allowance) -> None:
        self._books: Final = books
        self._latching: Final = latching
        self._prices: Final = prices
        self._allowance: Final = allowance
        self.rights: Final = KeyRights()
        self._leases: Final[LeaseBook[LeaseAnswered]] = LeaseBook()
        self._epoch = 0
        self._uncertainty_ns: int | None = None
        self.is_reconciled = False
        self.stream_trouble: str | None = "the venue's private stream was not opened yet"
        self._wary_of: tuple[str, ...] = ()
        self.has_room = True

    def begin(self, epoch: int) -> None:
        """Take the epoch that this process runs under."""
        self._epoch = epoch

    def clock_told(self, clock: VenueClock) -> None:
        """Take in how well the venue's time is known."""
        self._uncertainty_ns = clock.uncertainty_ns

    def ask(self, now: Moment) -> Ask:
        """Ask for the lease anew."""
        number = self._leases.asked(now.boot_ns)
        return Ask(RISK, AskLease(number, self._epoch), f"lease-{self._epoch}-{number}")

    def answered(self, envelope: Envelope) -> None:
        """Take an answer, if it is one about the lease."""
        if isinstance(envelope.body, LeaseAnswered):
            self._leases.answered(envelope.body.number, envelope.body)
            if envelope.body.latch is not None:
                self._latching.told(envelope.body.latch)

    def age_ns(self, now: Moment) -> int | None:
        """Return how old the lease is."""
        lease = self._leases.current
        return None if lease is None else lease.age_ns(now.boot_ns)

    def signs_until_ns(self) -> int:
        """Return until when the lease is young enough to sign an entry."""
        lease = self._leases.current
        return 0 if lease is None else lease.asked_at_ns + SIGN_NS_MAX

    def is_withdrawn(self, risk_epoch: int, now: Moment) -> str | None:
        """Say why entries that are worked already shall end, None while they may go on."""
        if (halted := self._latching.refusal()) is not None:
            return halted
        lease, age_ns = self._leases.current, self.age_ns(now)
        if lease is None or age_ns is None or age_ns > WITHDRAWN_NS:
            return "risk is silent"
        if lease.granted.risk_epoch != risk_epoch:
            return "risk has begun anew since it approved this"
        return None if lease.granted.permission == "RUN" else f"permission is {lease.granted.permission}"

    def wary(
        self, worries: Sequence[str], words: Sequence[str], now: Moment, *, unread_for: str | None
    ) -> list[BeWary | Note]:
        """Say what stands against entries of whatever symbol, what else worries, and what else is, once it changes."""
        unread = UNREAD if unread_for is None else clipped(f"{UNREAD}: {unread_for}")
        troubles = (
            *worries,
            *((CLOSED,) if self._allowance.is_left_alone(now) else ()),
            *(() if self.stream_trouble is None else (self.stream_trouble,)),
            *(() if self.is_reconciled or self.stream_trouble else (unread,)),
            *(() if self.rights.unknown_for is None else (f"{RIGHTS_UNKNOWN}: {self.rights.unknown_for}",)),
            *(_shown(condition) for condition in self._books.conditions.values()),
            *self._unlatched_halt(),
            *words,
        )
        if troubles == self._wary_of:
            return []
        new = [worry for worry in worries if worry not in self._wary_of]
        # Once a spell: the words may be others each time, as where they say for how long the venue was silent.
        was_unread = any(trouble.startswith(f"{UNREAD}:") for trouble in self._wary_of)
        failed = [] if unread_for is None or unread not in troubles or was_unread else [unread]
        self._wary_of = troubles
        notes = [*(Note("critical", worry) for worry in new), *(Note("warning", worry) for worry in failed)]
        return [*notes, BeWary(troubles)]

    def _unlatched_halt(self) -> Sequence[str]:
        """Say that a file keeps entries waiting which no latch of ours stands for."""
        halted = None if self._books.flattens.is_latched else self._latching.refusal()
        return () if halted is None else (halted,)

    def refusal(self, approval: Approval, now: Moment, *, but_for: str = "") -> Refusal | None:
        """Say why no entry may be sent for this approval now, None when one may; `but_for` is the order itself."""
        strategy, symbol = approval.strategy, approval.symbol
        return (
            self._by_halt(symbol)
            or self._by_lease(strategy, symbol, approval.risk_epoch, now)
            or self._by_ourselves(strategy, symbol, now)
            or self._by_doubt(symbol, but_for)
        )

    def _by_halt(self, symbol: Symbol) -> Refusal | None:
        if (halted := self._latching.refusal()) is not None:
            return "no_kill_latch", halted
        closing = next(self._books.flattens.concerning(symbol), None)
        return None if closing is None else ("nothing_is_flattened", f"{closing.actor} flattens it: {closing.reason}")

    def _by_lease(self, strategy: Name, symbol: Symbol, risk_epoch: int, now: Moment) -> Refusal | None:
        lease, age_ns = self._leases.current, self.age_ns(now)
        if lease is None or age_ns is None:
            return "lease_is_held", "risk has granted none"
        if age_ns > SIGN_NS_MAX:
            return "lease_is_fresh", f"it is {age_ns / NS_PER_SECOND:.1f} s old"
        if lease.granted.risk_epoch != risk_epoch:
            return "approval_of_this_epoch", f"risk is in epoch {lease.granted.risk_epoch}"
        if lease.granted.permission != "RUN":
            return "permission_is_run", _reasons(lease.granted.conditions) or lease.granted.permission
        narrower = [c for c in lease.granted.conditions if c.permission != "RUN" and _concerns(c, strategy, symbol)]
        return ("permission_is_run", _reasons(narrower)) if narrower else None

    def _by_ourselves(self, strategy: Name, symbol: Symbol, now: Moment) -> Refusal | None:
        if not self.is_reconciled:
            return "books_are_reconciled", "the books have not been held against the venue's since the last gap"
        if self.stream_trouble is not None:
            return "stream_is_open", self.stream_trouble
        if self.rights.unknown_for is not None:
            return "key_is_known", f"{RIGHTS_UNKNOWN}: {self.rights.unknown_for}"
        if self._uncertainty_ns is None or self._uncertainty_ns > CLOCK_UNCERTAINTY_NS_MAX:
            return "venue_time_is_known", "the venue's time is not known well enough"
        if (used_up := self._allowance.entry_refusal(now)) is not None:
            return "weight_is_left", used_up
        if not self.has_room:
            return "journal_has_room", "the disk of the journal is nearly full"
        if (trouble := self._prices.trouble(symbol, now.boot_ns)) is not None:
            return "prices_are_good", trouble
        standing = [c for c in self._books.conditions.values() if _concerns(c, strategy, symbol)]
        if standing:
            return "nothing_is_pending", _reasons(standing)
        return None

    def _by_doubt(self, symbol: Symbol, but_for: str) -> Refusal | None:
        for order in self._books.working():
            if order.key.symbol == symbol and order.is_in_doubt and order.client_order_id != but_for:
                return "no_order_in_doubt", f"whether {order.client_order_id} is at the venue is not known"
        return None


def _concerns(condition: Condition, strategy: Name, symbol: Symbol) -> bool:
    match condition.scope:
        case Everything():
            return True
        case OfSymbol(symbol=of_symbol):
            return of_symbol == symbol
        case OfStrategy(strategy=of_strategy):
            return of_strategy == strategy


def _shown(condition: Condition) -> str:
    """Say what stands, and of what, unless it is of everything."""
    of_what = "" if condition.scope == Everything() else f", of {scope_words(condition.scope)}"
    return _reasons([condition]) + of_what


def _reasons(conditions: tuple[Condition, ...] | list[Condition]) -> str:
    return "; ".join(f"{condition.name}: {condition.reason}" for condition in conditions)
