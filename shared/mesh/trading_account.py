"""What executor and flattener are told alike of the account that they trade on: itself, its bounds, a gateway."""

from random import Random

from shared.execution.core import TradedAccount
from shared.execution.governor import EgressLimits
from shared.mesh.clock import SystemClock
from shared.mesh.gateway.gateway import Gateway
from shared.mesh.halt_file import HaltFile
from shared.mesh.settings import Configuration, Settings
from shared.mesh.settings.unread_markets import FIRST
from shared.mesh.venue_key import key_source
from shared.trading.client_ids import account_tag
from shared.trading.costs import FeeAccount


def account_of(settings: Settings) -> TradedAccount:
    """Return which account is traded, and who reads the market of its symbols."""
    feeds = dict.fromkeys(settings.venue.symbols, FIRST)
    for feed in settings.feed.further:
        if feed.venue == settings.venue.name:
            feeds |= {symbol: feed.instance for symbol in feed.symbols if symbol in feeds}
    return TradedAccount(
        venue=settings.venue.name,
        feeds=feeds,
        quote_asset=settings.venue.quote_asset,
        tag=account_tag(settings.venue.account),
        fees=FeeAccount(
            settings.venue.name, settings.venue.market, settings.venue.vip_level, settings.venue.bnb_fees == "on"
        ),
        name=f"{settings.venue.name}/{settings.venue.url}/{settings.venue.account}",
    )


def limits_of(settings: Settings) -> EgressLimits:
    """Return how many orders may leave in a minute."""
    return EgressLimits(
        orders_max=settings.executor.orders_a_minute_max,
        entries_max=settings.executor.entries_a_minute_max,
        symbol_entries_max=settings.executor.symbol_entries_a_minute_max,
        entries_quote_max=settings.executor.entries_a_minute_quote_max,
    )


def gateway_of(configuration: Configuration, *, instance: str) -> Gateway:
    """Return the way to the venue of a process, which has a key of its own."""
    return Gateway(
        venue=configuration.settings.venue.name,
        url=configuration.settings.venue_address or "",
        key=key_source(configuration, name=instance),
        clock=SystemClock(),
        draws=Random(),  # noqa: S311  # only how long to wait before another attempt
        is_halted=HaltFile(configuration.halt_directory).is_there,
    )
