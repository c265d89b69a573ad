"""The rules that no smaller order would keep: each a pure function from an entry to its refusal, or to nothing.

To add one, write the function and list it in `RULES`; a limit of its own is a field of `Limits` and a setting. What a
smaller order would keep is a cap, in `caps.py`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from proto.intents import StopCover
from shared.risk.book import Book, Candidate, Refusal, total
from shared.risk.caps import percent, written
from shared.risk.limits import Limits
from shared.trading.profit_gate import prices_in_order

APART_FRACTION_MAX: Final = Decimal(
    "0.05"
)  # between a bar's close and its order no market that may be entered moves so
Rule = Callable[[Candidate, Book, Limits], Refusal | None]


def equity_positive(_candidate: Candidate, book: Book, _limits: Limits) -> Refusal | None:
    """Refuse everything to an account that owns nothing."""
    if book.equity_quote > 0:
        return None
    return Refusal("equity_positive", f"{book.equity_quote:f}", "above 0", "the account has no equity to risk")


def cover_is_a_stop(candidate: Candidate, _book: Book, _limits: Limits) -> Refusal | None:
    """Refuse a cover that would rest nowhere: a level that is only watched protects nothing that stands still."""
    if isinstance(candidate.intent.cover, StopCover):
        return None
    reason = "only a stop at the venue covers a position here: nobody watches a level"
    return Refusal("cover_is_a_stop", "watch", "stop", reason)


def stop_stays_where_it_is(candidate: Candidate, _book: Book, _limits: Limits) -> Refusal | None:
    """Refuse a stop that shall follow the price: it would stay where it began, and who asked would think it follows."""
    trail = candidate.intent.trail_distance
    if trail is None:
        return None
    reason = "a stop here does not follow the price: leave the trail out, or set an exit when the price has come back"
    return Refusal("stop_stays_where_it_is", f"{trail:f}", "none", reason)


def bracket_in_order(candidate: Candidate, _book: Book, _limits: Limits) -> Refusal | None:
    """Refuse a stop ahead of the entry, a target behind it, and targets that leave with more than there is."""
    intent, worst = candidate.intent, candidate.entry_price
    beyond = worst < intent.decision_price if intent.side == "buy" else worst > intent.decision_price
    targets = [target.price for target in intent.targets]
    stop = candidate.stop_price
    in_order = all(prices_in_order(intent.side, entry, stop, targets) for entry in (intent.decision_price, worst))
    taken = total(target.quantity_fraction for target in intent.targets)
    if in_order and not beyond and taken <= 1:
        return None
    if taken > 1:
        return Refusal("bracket_in_order", f"{taken:f}", "1", "its targets leave with more than the whole position")
    levels = "/".join(f"{price:f}" for price in (stop, intent.decision_price, worst, *targets[:1]))
    way = "stop < decision <= worst < targets" if intent.side == "buy" else "targets < worst <= decision < stop"
    return Refusal(
        "bracket_in_order",
        levels[:64],
        way,
        f"of a {intent.side} stop, decision price, worst price and target do not stand in order",
    )


def price_near_market(candidate: Candidate, _book: Book, _limits: Limits) -> Refusal | None:
    """Refuse prices that are not of this market: whatever they were reckoned from, their size would be wrong."""
    market, intent = candidate.market_price, candidate.intent
    asked = max(intent.decision_price, intent.price_worst, key=lambda price: abs(price - market))
    if abs(asked - market) <= market * APART_FRACTION_MAX:
        return None
    reason = f"it would be decided and paid within {APART_FRACTION_MAX:%} of the market, which is at {market:f}"
    return Refusal("price_near_market", f"{asked:f}", f"{market:f}", reason)


def position_long(candidate: Candidate, _book: Book, _limits: Limits) -> Refusal | None:
    """Refuse to begin a position with a sale: on a spot market nobody sells what he does not have."""
    if candidate.intent.side == "buy":
        return None
    return Refusal("position_long", "sell", "buy", "a spot market has no short positions; to leave one, set an exit")


def symbol_not_taken(candidate: Candidate, book: Book, _limits: Limits) -> Refusal | None:
    """Refuse a symbol that another strategy owns: of two nobody could say whose a fill or an exit is."""
    intent = candidate.intent
    others = {held.strategy for held in book.exposures if held.symbol == intent.symbol} - {intent.strategy}
    if not others:
        return None
    owner = min(others)
    reason = f"{owner} holds or enters {intent.symbol}, and one strategy owns a symbol at a time"
    return Refusal("symbol_not_taken", owner, intent.strategy, reason)


def positions_open_within_limit(candidate: Candidate, book: Book, limits: Limits) -> Refusal | None:
    """Refuse one position more than the profile and the size of the account allow; entries under way count as well."""
    symbols = {held.symbol for held in book.exposures}
    most = min(limits.positions_max, book.tier.positions_max)
    count = len(symbols | {candidate.intent.symbol})
    if candidate.intent.symbol in symbols or count <= most:
        return None
    source = "the profile" if limits.positions_max == most else "an account of this size"
    reason = f"{count - 1} positions are open or being entered, and {source} has at most {most}"
    return Refusal("positions_open_within_limit", str(count), str(most), reason)


def entries_today_within_limit(_candidate: Candidate, book: Book, limits: Limits) -> Refusal | None:
    """Refuse one entry more than a UTC day may have; exits are never counted."""
    if book.entries_today < limits.entries_per_day_max:
        return None
    count, most = book.entries_today + 1, limits.entries_per_day_max
    reason = f"{book.entries_today} entries were made since midnight (UTC), and {most} are allowed in a day"
    return Refusal("entries_today_within_limit", str(count), str(most), reason)


def daily_loss_within_limit(_candidate: Candidate, book: Book, limits: Limits) -> Refusal | None:
    """Refuse to enter on a day (UTC) that has lost too much; money that came or went is no loss."""
    fraction = limits.daily_loss_fraction(book.tier)
    lost, most = book.day_start_quote - book.equity_quote, book.day_start_quote * fraction
    if lost < most or lost <= 0:
        return None
    reason = f"of the day's start {percent(fraction)} may be lost before entries wait for the next day, at 00:00 UTC"
    return Refusal("daily_loss_within_limit", written(lost), written(most), reason)


RULES: Final[tuple[Rule, ...]] = (
    equity_positive,
    cover_is_a_stop,
    stop_stays_where_it_is,
    bracket_in_order,
    price_near_market,
    position_long,
    symbol_not_taken,
    positions_open_within_limit,
    entries_today_within_limit,
    daily_loss_within_limit,
)
