"""What is compared after a restart: all that a client can see, and how the exchange goes on."""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import (
    Balance,
    Command,
    LevelChanged,
    Outcome,
    Refused,
    SetRules,
    Side,
    Traded,
)
from tests.services.sim_exchange.venue.builders import Desk, order
from tests.services.sim_exchange.venue.flow import LISTED

SWEEPS: Final[list[tuple[Side, str]]] = [("SELL", "94"), ("BUY", "106")]


def restored(desk: Desk) -> Desk:
    """Return an exchange that was restored from what the other one told, but for the changes of its books."""
    after = Desk(Exchange(opened_ms=desk.now_ms))
    after.now_ms = desk.now_ms
    for event in desk.told:
        if not isinstance(event, LevelChanged):
            after.exchange.restore(event)
    return after


def assert_restored(before: Desk, accounts: Sequence[str]) -> None:
    """Compare an exchange with what a restart makes of it, then let both go on and compare what they do."""
    after = restored(before)
    assert seen(after, accounts) == seen(before, accounts)
    ids = {event.order_id for name in accounts for event in before.exchange.orders(name)}
    for command in afterwards(accounts):
        was, now = before.send(command), after.send(command)
        assert deeds(now) == deeds(was)
        if not isinstance(now.answer, Refused):
            placed = {view.order_id for view in now.answer.orders}
            assert not placed & ids, "an order id was given twice"
            ids |= placed
    assert seen_balances(after, accounts) == seen_balances(before, accounts)


def seen(desk: Desk, accounts: Sequence[str]) -> list[object]:
    """Return all that can be asked about some accounts and all symbols."""
    exchange, symbols = desk.exchange, sorted(desk.exchange.rules())
    books = [exchange.depth(symbol, 1000) for symbol in symbols]
    return [
        exchange.rules(),
        {name: fees for name, fees in exchange.accounts().items() if name in accounts},
        seen_balances(desk, accounts),
        [exchange.orders(name) for name in accounts],
        [exchange.lists(name) for name in accounts],
        [exchange.own_trades(name, symbol) for name in accounts for symbol in symbols],
        [exchange.trades(symbol) for symbol in symbols],
        [exchange.average_price(symbol, desk.now_ms) for symbol in symbols],
        [(book.bids, book.asks) for book in books],
    ]


def seen_balances(desk: Desk, accounts: Sequence[str]) -> list[dict[str, Balance]]:
    """Return the balances of some accounts; what was never touched and what is empty look alike."""
    return [
        {asset: balance for asset, balance in desk.exchange.balances(name).items() if balance.free or balance.locked}
        for name in accounts
    ]


def afterwards(accounts: Sequence[str]) -> list[Command]:
    """Return commands that try queues, triggers and lists: each symbol swept downwards and upwards."""
    commands: list[Command] = [SetRules(rules=listed) for listed in LISTED]
    for listed in LISTED:
        for side, price in SWEEPS:
            for name in accounts:
                commands += [
                    order(name, side, "LIMIT", "2", price, name=f"after {side} {n}", stp="NONE", symbol=listed.symbol)
                    for n in range(3)
                ]
    return commands


def deeds(outcome: Outcome) -> list[object]:
    """Return what was done, without the numbers that were given: after a restart they are others, and higher."""
    if isinstance(outcome.answer, Refused):
        return [outcome.answer]
    trades = [event for event in outcome.events if isinstance(event, Traded)]
    return [
        [(view.client_id, view.status, view.filled, view.filled_quote, view.locked) for view in outcome.answer.orders],
        [msgspec.structs.replace(fill, trade_id=0) for fills in outcome.answer.fills for fill in fills],
        [(trade.price, trade.quantity) for trade in trades],
    ]
