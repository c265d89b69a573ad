"""Whoever else has the account's password: trades, orders, deposits and withdrawals by hand."""

from decimal import Decimal
from typing import Final

from services.sim_exchange.venue.vocabulary import CancelAll, PlaceOrder, Transfer
from tests.simulation.machine import Surroundings
from tests.simulation.market import Market
from tests.simulation.venue import OUR_ACCOUNT, SimVenue

OTHER_HANDS: Final = {"traded by hand", "moved by hand", "ordered by hand"}


class OtherHands:
    """Act when the weather says so."""

    def __init__(self, around: Surroundings, venue: SimVenue, market: Market) -> None:
        self._scheduler: Final = around.scheduler
        self._weather: Final = around.weather
        self._venue: Final = venue
        self._market: Final = market

    def act(self) -> None:
        """Do what strikes."""
        if self._weather.strikes("traded by hand"):
            self._trade()
        if self._weather.strikes("moved by hand"):
            amount = Decimal(self._weather.amount("moved by hand", -900, 900))
            self._venue.command(Transfer(account=OUR_ACCOUNT, asset="USDT", amount=amount))
        if self._weather.strikes("ordered by hand"):
            self._order(Decimal("0.1"), self._market.bid("BTC/USDT") - 20)

    def _trade(self) -> None:
        """Buy or sell at the market."""
        quantity = Decimal(self._weather.amount("traded by hand", 60, 2_000)) / 1_000
        if self._weather.amount("traded by hand: cancels first", 0, 1):  # or what the bot holds is locked by its stop
            self._venue.command(CancelAll(account=OUR_ACCOUNT, symbol="BTCUSDT"))
        self._order(quantity, None)

    def _order(self, quantity: Decimal, price: Decimal | None) -> None:
        buys = price is not None or self._weather.amount("traded by hand: buys", 0, 1) == 1
        self._venue.command(
            PlaceOrder(
                account=OUR_ACCOUNT,
                symbol="BTCUSDT",
                side="BUY" if buys else "SELL",
                type="MARKET" if price is None else "LIMIT",
                client_id=f"web-{self._scheduler.now_ns}",
                time_in_force=None if price is None else "GTC",
                quantity=quantity,
                price=price,
            )
        )
