"""The verdict on an intent: what has to be known, what stands against it, and then the rules and caps. Pure."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from proto.account import InstrumentRules
from proto.fields import DECIMAL_DIGITS_MAX, Asset, clipped, clipped_short
from proto.intents import EnterBracket, StopCover
from proto.risk import Condition
from proto.verdicts import Approval, IntentJudged, IntentRefused
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.holdings import Holdings
from services.risk_watchdog.core.permission import concerning, strictest
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.terms import SECOND_NS, RiskTerms
from shared.core.service import Moment
from shared.market.bounds import QUANTITY_LARGEST, quantity_fault
from shared.market.prices import Price, Prices
from shared.risk.book import NOTHING, Book, Candidate, Lot, Refusal, Sized
from shared.risk.judgement import judged
from shared.risk.tiers import tier_of_equity
from shared.trading.costs import CostTerms, cost_terms, fee_rates

START_NS: Final = 2 * SECOND_NS
# Rules that hold entries back until risk has heard of everybody, which takes it a moment after its start.
UNHEARD: Final = frozenset(
    {"executor_moves", "instrument_is_known", "permission_is_run", "positions_are_known", "prices_are_good"}
)
WORK_NS_MAX: Final = 600 * SECOND_NS
DIGEST_LENGTH: Final = 16
BNB: Final[Asset] = "BNB"


class Judge:
    """Judges by what risk knows at this moment, and changes nothing."""

    def __init__(
        self,
        *,
        terms: RiskTerms,
        facts: Facts,
        reports: ExecutorReports,
        account: Account,
        holdings: Holdings,
        prices: Prices,
    ) -> None:
        self._terms: Final = terms
        self._facts: Final = facts
        self._reports: Final = reports
        self._account: Final = account
        self._holdings: Final = holdings
        self._prices: Final = prices
        self._full_fees: Final = terms.fees._replace(pays_in_bnb=False)
        self.epoch = 0

    def judged(
        self, intent: EnterBracket, *, conditions: Sequence[Condition], executor_moves: bool, now: Moment
    ) -> IntentJudged:
        """Return what is to be written down of an intent."""
        book = self._book()
        against = _forbidden(intent, conditions) or self._unknown(intent, executor_moves=executor_moves, now=now)
        answer = against or self._by_rules(intent, book)
        return IntentJudged(
            intent=intent,
            approval=None if isinstance(answer, Refusal) else self._approval(intent, answer, now),
            refusal=_refusal(intent, answer) if isinstance(answer, Refusal) else None,
            equity_quote=book.equity_quote,
            exposure_quote=book.exposure_quote(),
            entries_today=book.entries_today,
        )

    def _book(self) -> Book:
        equity, day, day_start_quote = self._account.equity_quote, self._facts.day, self._facts.guards.daily_loss.quote
        return Book(
            equity_quote=NOTHING if equity is None else equity,
            free_quote=self._account.free_quote - self._holdings.reserved_quote,
            tier=tier_of_equity(NOTHING) if day is None else day.tier,
            exposures=self._holdings.exposures(),
            day_start_quote=NOTHING if day_start_quote is None else day_start_quote,
            entries_today=self._facts.entries_today,
            is_recovering=self._facts.recovers,
        )

    def _unknown(self, intent: EnterBracket, *, executor_moves: bool, now: Moment) -> Refusal | None:
        """Refuse what cannot be judged well: the executor, its reports, the prices or the rules of the symbol lack."""
        symbol = intent.symbol
        if not executor_moves:
            return _lacking("executor_moves", "the executor is not heard to work, so nothing is handed to it")
        if (trouble := self._reports.trouble(now.boot_ns)) is not None:
            return _lacking("positions_are_known", trouble)
        if (unvalued := self._holdings.of_unknown_worth()) is not None:
            return _lacking("positions_are_known", f"{unvalued} is held, and there is no price of it")
        if (trouble := self._prices.trouble(symbol, now.boot_ns)) is not None:
            return _lacking("prices_are_good", trouble)
        if symbol not in self._account.instruments:
            return _lacking("instrument_is_known", f"the executor has not told in which steps {symbol} trades")
        return None

    def _by_rules(self, intent: EnterBracket, book: Book) -> Sized | Refusal:
        rules, price = self._account.instruments[intent.symbol], self._prices.of(intent.symbol)
        assert price is not None, "what cannot be judged was refused before"
        candidate = Candidate(intent=intent, market_price=price.middle, lot=_lot(rules), costs=self._costs(price))
        answer = judged(candidate, book, self._terms.limits)
        return _unwritable(answer) if isinstance(answer, Sized) and quantity_fault(answer.quantity) else answer

    def _costs(self, price: Price) -> CostTerms[Decimal]:
        """Return what trading costs. Without any BNB to pay them with, the venue takes the full fees."""
        day = self._facts.day
        assert day is not None, "before a day has begun nothing is permitted"
        date = dt.datetime.fromtimestamp(day.start_ns // SECOND_NS, tz=dt.UTC).date()
        fees = self._terms.fees if self._account.free(BNB) > 0 else self._full_fees
        rates = fee_rates(fees, date, Decimal)
        return cost_terms(rates, Decimal, spread_fraction=price.spread_fraction)

    def _approval(self, intent: EnterBracket, sized: Sized, now: Moment) -> Approval:
        """Return the approval; a price behind the stop is none to enter at, one beyond the worst none that is paid."""
        cover = intent.cover
        stop = cover.stop_price if isinstance(cover, StopCover) else cover.level_price
        work_ns = min(max(intent.work_for_ns, START_NS), WORK_NS_MAX)
        return Approval(
            approval_id=approval_id(intent.intent_id, now.wall_ns),
            intent_id=intent.intent_id,
            strategy=intent.strategy,
            symbol=intent.symbol,
            side=intent.side,
            quantity_max=sized.quantity,
            price_low=min(stop, intent.price_worst),
            price_high=max(stop, intent.price_worst),
            decision_price=intent.decision_price,
            cover=cover,
            targets=intent.targets,
            trail_distance=intent.trail_distance,
            reserved_quote=sized.reserved_quote,
            start_by_boot_ns=now.boot_ns + START_NS,
            work_until_boot_ns=now.boot_ns + work_ns,
            risk_epoch=self.epoch,
        )


def approval_id(intent_id: str, wall_ns: int) -> str:
    """Return a name that no approval ever had or will have, though all journals be deleted: orders are named by it."""
    digest = hashlib.sha256(intent_id.encode()).hexdigest()[:DIGEST_LENGTH]
    return f"entry-{wall_ns}-{digest}"


def _forbidden(intent: EnterBracket, conditions: Sequence[Condition]) -> Refusal | None:
    standing = concerning(conditions, intent.strategy, intent.symbol)
    if not standing:
        return None
    reasons = "; ".join(f"{condition.name}: {condition.reason}" for condition in standing)
    return Refusal("permission_is_run", strictest(standing), "RUN", reasons)


def _lacking(rule: str, reason: str) -> Refusal:
    return Refusal(rule, "no", "yes", reason)


def _unwritable(sized: Sized) -> Refusal:
    """Refuse a quantity that no message can carry, as of a symbol whose price is next to nothing."""
    most = f"{QUANTITY_LARGEST:f} in {DECIMAL_DIGITS_MAX} digits"
    return Refusal("quantity_in_bounds", f"{sized.quantity:.8g}", most, "so large or so fine a quantity is not ordered")


def _lot(rules: InstrumentRules) -> Lot:
    return Lot(rules.quantity_step, rules.quantity_min, rules.notional_min_quote)


def lacks_a_hearing(judged: IntentJudged) -> bool:
    """Say whether an intent is refused for want of something that may yet be heard."""
    return judged.refusal is not None and judged.refusal.rule in UNHEARD


def _refusal(intent: EnterBracket, refusal: Refusal) -> IntentRefused:
    return IntentRefused(
        intent_id=intent.intent_id,
        rule=refusal.rule,
        value=clipped_short(refusal.value),
        limit=clipped_short(refusal.limit),
        reason=clipped(refusal.reason),
    )
