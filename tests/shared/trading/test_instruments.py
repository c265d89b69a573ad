"""What is rounded errs to the safe side, and an order without a fault is one that the venue takes."""

from decimal import Decimal, localcontext
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.fields import Side
from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.amounts import EXACT as VENUE_EXACT
from services.sim_exchange.venue.filters import filtered
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.vocabulary import Fees, OrderType, PlaceOrder, Refused, SymbolRules
from shared.trading.amounts import is_multiple
from shared.trading.instruments import LIMITED, STOPS, FilterFault, Instrument, InstrumentError, OrderTerms, PriceBand

BTC: Final = Instrument(
    symbol="BTC/USDT",
    base="BTC",
    quote="USDT",
    price_tick=Decimal("0.01"),
    price_min=Decimal("0.01"),
    price_max=Decimal(1_000_000),
    quantity_step=Decimal("0.001"),
    quantity_min=Decimal("0.002"),
    quantity_max=Decimal(9_000),
    market_quantity_min=Decimal(0),
    market_quantity_max=Decimal(100),
    notional_min=Decimal(5),
    notional_max=Decimal(9_000_000),
    price_band=PriceBand(buy_low=Decimal("0.2"), buy_high=Decimal(5), sell_low=Decimal("0.2"), sell_high=Decimal(5)),
    open_orders_max=3,
    algo_orders_max=2,
)
MARKET_PRICE: Final = Decimal(1_000)

SIDES = st.sampled_from(("buy", "sell"))
NUMBERS = st.decimals("0.00000001", "2000000", places=8)
STEPS = st.sampled_from([Decimal(step) for step in ("0.00000001", "0.01", "0.05", "0.25", "1", "2.5", "10")])


def terms(order_type: str = "limit", side: Side = "buy", **numbers: str) -> OrderTerms:
    """Make an order for 0.1 at 1000 that has no fault, but for what is said otherwise."""
    defaults = {"quantity": "0.1"}
    if order_type in LIMITED:
        defaults["limit_price"] = "1000"
    if order_type in STOPS:
        defaults["stop_price"] = "1000"
    decimals = {name: Decimal(number) for name, number in (defaults | numbers).items()}
    return msgspec.convert({"side": side, "order_type": order_type} | decimals, OrderTerms)


def fault(order: OrderTerms, *, price: Decimal | None = MARKET_PRICE, orders: int = 0, stops: int = 0) -> str | None:
    """Return the rule that an order breaks."""
    found = BTC.filter_fault(order, reference_price=price, open_orders=orders, algo_orders=stops)
    return None if found is None else found.rule


@given(NUMBERS, STEPS)
def test_a_quantity_is_rounded_down(number: Decimal, step: Decimal) -> None:
    """It becomes the greatest whole number of steps that is not more."""
    floored = msgspec.structs.replace(BTC, quantity_step=step).quantity_floored(number)
    assert is_multiple(floored, step)
    assert number - step < floored <= number


@given(NUMBERS, STEPS, SIDES)
def test_a_protective_stop_fires_no_later(price: Decimal, tick: Decimal, side: Side) -> None:
    """Its trigger is rounded towards the market, to the next tick and no farther."""
    stop = msgspec.structs.replace(BTC, price_tick=tick).stop_price(side, price)
    assert is_multiple(stop, tick)
    assert price - tick < stop <= price if side == "buy" else price <= stop < price + tick


@pytest.mark.parametrize(
    ("order", "rule"),
    [
        (terms(), None),
        (terms("market"), None),
        (terms("stop_market", "sell"), None),
        (terms("stop_limit", "sell"), None),
        (terms(limit_price="1000.005"), "price_tick"),
        (terms(limit_price="0"), "price_min"),
        (terms(limit_price="-1"), "price_min"),
        (terms(limit_price="1000000.01"), "price_max"),
        (terms("stop_limit", stop_price="0.005"), "price_min"),
        (terms(quantity="0"), "quantity_min"),
        (terms(quantity="0.001"), "quantity_min"),
        (terms(quantity="0.1005"), "quantity_step"),
        (terms(quantity="9000.001"), "quantity_max"),
        (terms("market", quantity="100.001"), "quantity_max"),
        (terms("stop_market", quantity="100.001"), "quantity_max"),
        (terms(limit_price="199.99"), "price_band_low"),
        (terms(side="sell", limit_price="5000.01"), "price_band_high"),
        (terms(quantity="0.004"), "notional_min"),
        (terms("market", quantity="0.004"), "notional_min"),
        (terms("stop_market", quantity="0.004"), "notional_min"),
        (terms(quantity="9000", limit_price="1000.01"), "notional_max"),
    ],
    ids=repr,
)
def test_a_fault_names_its_rule(order: OrderTerms, rule: str | None) -> None:
    """Each filter is looked at, in the venue's order."""
    assert fault(order) == rule


def test_open_orders_are_counted_where_an_order_can_rest() -> None:
    """A market order never counts, any limit does, a stop counts among the orders and among the stops."""
    assert fault(terms("market"), orders=3) is None
    assert fault(terms("limit_ioc"), orders=3) == "open_orders_max"
    assert fault(terms(), orders=2, stops=2) is None
    assert fault(terms(), orders=3) == "open_orders_max"
    assert fault(terms("stop_market"), orders=2, stops=2) == "algo_orders_max"
    stop = terms("stop_market")
    assert BTC.filter_fault(stop, reference_price=None, open_orders=None, algo_orders=None) is None, "the venue's word"
    found = BTC.filter_fault(stop, reference_price=None, open_orders=2, algo_orders=2)
    assert found is not None
    assert found.reason == "then 3 open stops would be on the symbol, more than 2"


def test_without_a_price_the_venue_judges() -> None:
    """An exit at market does not wait until somebody knows a price."""
    assert fault(terms("market", quantity="0.004"), price=None) is None
    assert fault(terms(limit_price="100"), price=None) is None


def test_a_reason_says_what_is_wrong() -> None:
    """It names the number and the limit, written out."""
    found = BTC.filter_fault(terms(quantity="1E-7"), reference_price=None, open_orders=0, algo_orders=0)
    assert isinstance(found, FilterFault)
    assert found.reason == "quantity 0.0000001 is below the least quantity 0.002"


@pytest.mark.parametrize(
    "change",
    [{"price_tick": Decimal(0)}, {"quantity_step": Decimal(0)}, {"price_max": Decimal("NaN")}, {"base": "USDT"}],
    ids=repr,
)
def test_senseless_rules_are_refused(change: dict[str, object]) -> None:
    """A symbol whose rules make no sense is not traded by guessing."""
    with pytest.raises(InstrumentError, match="BTC/USDT"):
        msgspec.structs.replace(BTC, **change)


@pytest.mark.parametrize(
    "senseless",
    [
        {"order_type": "limit"},
        {"order_type": "limit_ioc"},
        {"order_type": "market", "limit_price": Decimal(1)},
        {"order_type": "stop_limit", "limit_price": Decimal(1)},
        {"order_type": "market", "stop_price": Decimal(1)},
        {"order_type": "limit", "limit_price": Decimal("NaN")},
    ],
    ids=repr,
)
def test_an_order_that_cannot_be_judged_is_a_defect(senseless: dict[str, object]) -> None:
    """A missing or needless price is a mistake of ours, and does not get as far as a filter."""
    with pytest.raises(AssertionError):
        msgspec.convert({"side": "buy", "quantity": Decimal(1)} | senseless, OrderTerms)


VENUE_TYPES: Final[dict[str, OrderType]] = {
    "market": "MARKET",
    "limit": "LIMIT",
    "limit_ioc": "LIMIT",
    "stop_market": "STOP_LOSS",
    "stop_limit": "STOP_LOSS_LIMIT",
}
NEAR = st.one_of(
    st.sampled_from([Decimal(number) for number in ("0", "0.001", "0.002", "0.005", "100", "100.001", "200", "5000")]),
    st.integers(0, 10_000_000).map(lambda ticks: Decimal(ticks).scaleb(-3)),
    NUMBERS,
)


def the_venues_word(order: OrderTerms) -> Refused | None:
    """Ask the simulated exchange's own filters, on a symbol that last traded at the reference price."""
    rules = SymbolRules(
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=BTC.price_tick,
        price_min=BTC.price_min,
        price_max=Decimal(1_000_000),
        step_size=BTC.quantity_step,
        quantity_min=BTC.quantity_min,
        quantity_max=Decimal(9_000),
        market_quantity_max=Decimal(100),
        notional_min=BTC.notional_min,
        notional_max=Decimal(9_000_000),
        percent_up=Decimal(5),
        percent_down=Decimal("0.2"),
        open_orders_max=3,
        algo_orders_max=2,
    )
    listing = Listing(rules, first_id=1)
    listing.average.add(0, MARKET_PRICE, Decimal(1))
    placed = PlaceOrder(
        account="a",
        symbol="BTCUSDT",
        side="BUY" if order.side == "buy" else "SELL",
        type=VENUE_TYPES[order.order_type],
        client_id="c",
        time_in_force="IOC" if order.order_type == "limit_ioc" else None,
        quantity=order.quantity,
        price=order.limit_price,
        stop_price=order.stop_price,
    )
    free = Fees(maker=Decimal(0), taker=Decimal(0))
    account = Account("a", free, is_market=False, client_ids="unique while open")
    with localcontext(VENUE_EXACT):
        return filtered(listing, account, placed, 0)


@given(st.sampled_from(tuple(VENUE_TYPES)), SIDES, NEAR, NEAR, NEAR)
def test_the_simulated_exchange_judges_alike(
    order_type: str, side: Side, quantity: Decimal, limit: Decimal, stop: Decimal
) -> None:
    """Handed the venue's own average price, we find a fault exactly where the venue refuses."""
    numbers = {"quantity": str(quantity)}
    if order_type in LIMITED:
        numbers["limit_price"] = str(limit)
    if order_type in STOPS:
        numbers["stop_price"] = str(stop)
    order = terms(order_type, side, **numbers)
    assert (fault(order) is None) == (the_venues_word(order) is None)
