"""What the executor says of positions and of the account. Pure."""

from collections.abc import Callable, Collection, Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Final

from proto.account import BALANCES_MAX, AccountSnapshot, Balance, InstrumentRules, InstrumentsTold
from proto.envelope import Body
from proto.fields import Asset, Symbol
from proto.orders import PositionChanged
from shared.core.service import Moment, Report, Say
from shared.execution.books import Books, Place
from shared.execution.vocabulary import AccountRead
from shared.execution.working import Worker
from shared.market.prices import Prices
from shared.trading.amounts import EXACT, ZERO

SAY_NS: Final = 1_000_000_000
PRICED_NS_MAX: Final = (
    60_000_000_000  # a quiet symbol has no quote for a while, one that nobody tells has none for ever
)
EIGHT_PLACES: Final = Decimal("1E-8")


def worth_of(
    amounts: Mapping[Asset, Decimal],
    bid_of: Callable[[Symbol], Decimal | None],
    *,
    symbols: Collection[Symbol],
    quote_asset: Asset,
) -> Decimal | None:
    """Return what an account is worth at the best bids, None while something traded has none: a gap is no loss.

    What is not traded has no price that anybody reads, and counts as nothing.
    """
    worth = amounts.get(quote_asset, ZERO)
    for asset, amount in amounts.items():
        symbol = f"{asset}/{quote_asset}"
        if not amount or symbol not in symbols:
            continue
        bid = bid_of(symbol)
        if bid is None:
            return None
        worth = EXACT.add(worth, EXACT.multiply(amount, bid))
    return worth.quantize(EIGHT_PLACES, ROUND_DOWN)


class Accounts:
    """Says what there is."""

    def __init__(
        self,
        *,
        books: Books,
        prices: Prices,
        worker: Worker,
        symbols: Collection[str],
        quote_asset: str,
        account_fingerprint: str,
    ) -> None:
        self._books: Final = books
        self._prices: Final = prices
        self._worker: Final = worker
        self._symbols: Final = symbols  # the venue has thousands
        self._quote_asset: Final = quote_asset
        self._account_fingerprint: Final = account_fingerprint
        self._say_at_ns = 0
        self._telling: Final[dict[Place, PositionChanged]] = {}  # until it is recorded

    def position(self, place: Place) -> PositionChanged:
        """Return a position as it is now, and how much of it a stop at the venue covers."""
        held = self._books.positions.of(*place)
        covers = (order for order in self._books.working(place) if order.key.purpose == "cover")
        return PositionChanged(
            strategy=place[0],
            symbol=place[1],
            quantity=held.quantity,
            average_entry_price=held.average_entry_price if held.owned else None,
            covered_quantity=sum((order.open_quantity for order in covers if not order.is_in_doubt), ZERO),
        )

    def untold(self) -> list[Report]:
        """Return the positions that are not as was told last, and be it by a life that was killed before it told."""
        told = self._books.told | self._telling
        held = [(position.strategy, position.symbol) for position in self._books.positions.held()]
        now = {place: self.position(place) for place in dict.fromkeys((*told, *held))}
        changed = {place: position for place, position in now.items() if position != told.get(place)}
        self._telling.update(changed)
        return [Report(position, reducing=True) for position in changed.values()]

    def recorded(self, body: Body) -> None:
        """Take in that a position is told."""
        if isinstance(body, PositionChanged) and self._telling.get((body.strategy, body.symbol)) == body:
            del self._telling[body.strategy, body.symbol]

    def forget(self) -> None:
        """Tell again what found no room."""
        self._telling.clear()

    def due(self, account: AccountRead | None, now: Moment) -> list[Say]:
        """Return what is said once a second, as far as it is known."""
        if now.boot_ns < self._say_at_ns:
            return []
        self._say_at_ns = now.boot_ns + SAY_NS
        said: list[Say] = []
        if self._worker.instruments:
            said.append(Say(self._rules()))
        equity_quote = self._equity_quote(now)
        if account is not None and self._books.passes and equity_quote is not None:
            said.append(Say(self._snapshot(account, equity_quote)))
        return said

    def _equity_quote(self, now: Moment) -> Decimal | None:
        """Return what the books hold at the newest prices, None while something traded has none."""

        def bid_of(symbol: Symbol) -> Decimal | None:
            price = self._prices.of(symbol)
            return None if price is None or now.boot_ns - price.received_boot_ns > PRICED_NS_MAX else price.bid

        return worth_of(self._books.ledger.balances(), bid_of, symbols=self._symbols, quote_asset=self._quote_asset)

    def _snapshot(self, account: AccountRead, equity_quote: Decimal) -> AccountSnapshot:
        return AccountSnapshot(
            read_number=account.read_number,
            account_fingerprint=self._account_fingerprint,
            venue_time_ns=account.venue_time_ns,
            quote_asset=self._quote_asset,
            equity_quote=equity_quote,
            balances=tuple(Balance(one.asset, one.free, one.locked) for one in account.balances[:BALANCES_MAX]),
            counted=(),
        )

    def _rules(self) -> InstrumentsTold:
        return InstrumentsTold(
            tuple(
                InstrumentRules(
                    symbol=rules.symbol,
                    base=rules.base,
                    quote=rules.quote,
                    price_tick=rules.price_tick,
                    quantity_step=rules.quantity_step,
                    quantity_min=max(rules.quantity_min, rules.market_quantity_min),
                    notional_min_quote=rules.notional_min,
                )
                for symbol, rules in self._worker.instruments.items()
                if symbol in self._symbols
            )
        )
