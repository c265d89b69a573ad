"""How the account stands, for everybody to see: what is used of each limit, and the whole in one snapshot. Pure."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from proto.fields import Asset, Name, clipped_short
from proto.risk import LIMITS_MAX, Condition, Everything, Latch, LimitUse, OfSymbol, RiskSnapshot
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.holdings import EIGHT_PLACES, Holdings
from services.risk_watchdog.core.permission import everywhere
from services.risk_watchdog.core.terms import RiskTerms
from shared.core.service import Moment
from shared.risk.book import NOTHING, total
from shared.risk.guards import GUARDS, Guard
from shared.risk.tiers import Tier, tier_of_equity

WHOLE: Final = Decimal(1)
ENTRIES: Final[Asset] = "entries"
POSITIONS: Final[Asset] = "positions"
COUNTS_FROM_NOTHING: Final = "the guard counts from nothing yet: no books have agreed"


class Standing:
    """Says how much of everything is used. Equity is that of the newest reading, and of the day's start before one."""

    def __init__(self, *, terms: RiskTerms, facts: Facts, account: Account, holdings: Holdings) -> None:
        self._terms: Final = terms
        self._facts: Final = facts
        self._account: Final = account
        self._holdings: Final = holdings

    def snapshot(self, conditions: Sequence[Condition], latch: Latch | None, now: Moment) -> RiskSnapshot:
        """Return what risk knows."""
        equity, day = self._equity_quote(), self._facts.day
        day_start_quote = self._marked("daily_loss", equity if day is None else day.equity_quote)
        peak = self._marked("drawdown", max(self._facts.equity_peak_quote, equity))
        fall = max(peak - equity, NOTHING) / peak if peak > 0 else NOTHING
        return RiskSnapshot(
            permission=everywhere(conditions),
            conditions=tuple(conditions),
            latch_id=None if latch is None else latch.latch_id,
            latch_is_cleared=latch is not None and self._facts.latch.is_cleared(latch.latch_id),
            equity_quote=equity,
            equity_peak_quote=peak,
            equity_day_start_quote=day_start_quote,
            day_pnl_quote=equity - day_start_quote,
            drawdown_fraction=min(fall, WHOLE).quantize(EIGHT_PLACES, ROUND_HALF_EVEN),
            exposure_quote=total(held.notional_quote for held in self._holdings.exposures()),
            reserved_quote=self._holdings.reserved_quote,
            entries_today=self._facts.entries_today,
            day_start_ns=0 if day is None else day.start_ns,
            limits=self.limits(now),
        )

    def limits(self, now: Moment) -> tuple[LimitUse, ...]:
        """Return the limits of all together, then those of each symbol held. What is not known is said to be that."""
        limits, equity, day = self._terms.limits, self._equity_quote(), self._facts.day
        unknown = self._unknown(now)
        exposures, quote = self._holdings.exposures(), self._terms.quote_asset
        by_symbol = {
            held.symbol: total(one.notional_quote for one in exposures if one.symbol == held.symbol)
            for held in exposures
        }
        tier = tier_of_equity(NOTHING) if day is None else day.tier
        positions_max = min(limits.positions_max, tier.positions_max)
        exposure_max = None if unknown else _money(equity * limits.exposure_fraction)
        position_max = None if unknown else _money(min(limits.position_quote_max, equity * limits.position_fraction))
        everything = Everything()
        return (
            LimitUse(
                "exposure_total_within_limit",
                everything,
                total(by_symbol.values()),
                exposure_max,
                quote,
                unknown,
            ),
            LimitUse(
                "positions_open_within_limit",
                everything,
                Decimal(len(by_symbol)),
                Decimal(positions_max),
                POSITIONS,
                None,
            ),
            LimitUse(
                "entries_today_within_limit",
                everything,
                Decimal(self._facts.entries_today),
                Decimal(limits.entries_per_day_max),
                ENTRIES,
                None,
            ),
            *self._guarded(None if unknown else equity, tier, unknown),
            *(
                LimitUse("position_size_within_limit", OfSymbol(symbol), used, position_max, quote, unknown)
                for symbol, used in by_symbol.items()
            ),
        )[:LIMITS_MAX]

    def _marked(self, guard: Guard, otherwise: Decimal) -> Decimal:
        """Return what a guard counts from, which moves with the money that comes and goes; until it does, the other."""
        quote = self._facts.guards.mark(guard).quote
        return otherwise if quote is None else quote

    def _guarded(self, equity: Decimal | None, tier: Tier, unknown: str | None) -> Iterator[LimitUse]:
        """Yield how much of what may be lost is lost: by a day that takes entries, and by each guard."""
        limits = self._terms.limits
        found: list[tuple[Guard, Name, Decimal]] = [
            ("daily_loss", "daily_loss_within_limit", limits.daily_loss_fraction(tier)),
            *((guard, f"{guard}_kill", self._terms.guards.of(guard)) for guard in GUARDS),
        ]
        for guard, name, fraction in found:
            base = self._facts.guards.mark(guard).quote
            lost = most = None
            if base is not None and base > 0:
                lost = None if equity is None else _money(max(base - equity, NOTHING))
                most = _money(base * fraction)
            why = unknown or (COUNTS_FROM_NOTHING if most is None else None)
            yield LimitUse(name, Everything(), lost, most, self._terms.quote_asset, why)

    def _unknown(self, now: Moment) -> str | None:
        """Say why it is not known what the account is worth now, None while it is."""
        trouble = self._account.trouble(now)
        return None if trouble is None else clipped_short(trouble)

    def _equity_quote(self) -> Decimal:
        if self._account.equity_quote is not None:
            return self._account.equity_quote
        return NOTHING if self._facts.day is None else self._facts.day.equity_quote


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(EIGHT_PLACES, ROUND_HALF_EVEN)
