"""Kills the exchange again and again while clients trade, and asks the next one for all that was acknowledged.

`python -m tests.services.sim_exchange.kills ROUNDS SEED`; a test runs a few rounds, and so does `make chaos` many.
"""

import asyncio
import random
import secrets
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import ccxt

from tests.services.sim_exchange.exchange_process import ExchangeProject
from tests.services.sim_exchange.face.venue import Binance, ccxt_at

CLIENTS: Final = 3
SYMBOL: Final = "BTC/USDT"
ACKNOWLEDGED_MIN: Final = 5  # in a round, before the process dies
ACKNOWLEDGED_MAX: Final = 60
OPEN: Final = "open"


@dataclass
class Acknowledged:
    """What clients were told: by client id the exchange's number and how far it was filled; and what was cancelled."""

    orders: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    count: int = 0


async def kill_rounds(project: ExchangeProject, rounds: int, seed: int) -> Acknowledged:
    """Run that many rounds; raises AssertionError for a promise that was not kept."""
    source = random.Random(seed)  # noqa: S311 -- repeatable on purpose, and no secret
    acknowledged = Acknowledged()
    process = project.start()
    for number in range(rounds):
        until = acknowledged.count + source.randint(ACKNOWLEDGED_MIN, ACKNOWLEDGED_MAX)
        enough = asyncio.Event()
        clients = [
            asyncio.create_task(_trade(project, f"r{number}c{client}", source, acknowledged, (until, enough)))
            for client in range(CLIENTS)
        ]
        await enough.wait()
        process.kill()
        await asyncio.gather(*clients)
        process.communicate()
        process = project.start()
        async with ccxt_at(project.port, project.key()) as client:
            await client.load_markets()
            await _check(client, acknowledged)
    assert project.stop(process) == 0
    return acknowledged


async def _trade(
    project: ExchangeProject,
    name: str,
    source: random.Random,
    acknowledged: Acknowledged,
    enough: tuple[int, asyncio.Event],
) -> None:
    """Place and cancel, until nobody answers any more."""
    async with ccxt_at(project.port, project.key()) as client:
        placed = 0
        try:
            await client.load_markets()  # on a busy machine others may have had enough by then
            price = Decimal(str((await client.fetch_ticker(SYMBOL))["last"]))
            while True:
                placed += 1
                await _place(client, f"{name}n{placed}", price, source, acknowledged)
                if acknowledged.count >= enough[0]:
                    enough[1].set()
        except (ccxt.NetworkError, ccxt.ExchangeNotAvailable):
            enough[1].set()


async def _place(
    client: Binance, client_id: str, price: Decimal, source: random.Random, acknowledged: Acknowledged
) -> None:
    offset = source.choice([Decimal("0.9"), Decimal("0.95"), Decimal("1.01")])  # two that rest, one that is filled
    limit = float(client.price_to_precision(SYMBOL, float(price * offset)))
    try:
        order = await client.create_order(SYMBOL, "limit", "buy", 0.001, limit, {"newClientOrderId": client_id})
    except (ccxt.InsufficientFunds, ccxt.InvalidOrder):
        acknowledged.count += 1  # there is nothing left to buy with, or too many orders are open: an answer as well
        await _make_room(client, acknowledged)
        return
    acknowledged.orders[client_id] = (order["id"], Decimal(str(order["filled"])))
    acknowledged.count += 1
    if order["status"] == OPEN and source.random() < 0.5:
        await _cancel(client, client_id, acknowledged)


async def _cancel(client: Binance, client_id: str, acknowledged: Acknowledged) -> None:
    try:
        await client.cancel_order(None, SYMBOL, {"origClientOrderId": client_id})
    except ccxt.OrderNotFound:
        return  # it was filled, or another client made room
    acknowledged.cancelled.add(client_id)
    acknowledged.count += 1


async def _make_room(client: Binance, acknowledged: Acknowledged) -> None:
    for order in (await client.fetch_open_orders(SYMBOL))[:20]:
        await _cancel(client, order["clientOrderId"], acknowledged)
    held = (await client.fetch_balance())["BTC"]["free"]
    if held >= 0.001:
        with suppress(ccxt.InsufficientFunds):  # another client sold it
            await client.create_order(SYMBOL, "market", "sell", held)
            acknowledged.count += 1


async def _check(client: Binance, acknowledged: Acknowledged) -> None:
    """Find everything that was acknowledged, and an account that adds up."""
    orders, account = await _orders_and_account(client)
    for client_id, (order_id, filled) in acknowledged.orders.items():
        found = orders.get(client_id)
        assert found is not None, f"{client_id} was acknowledged as {order_id}, and is not there"
        assert found["id"] == order_id, f"{client_id} was {order_id} and is {found['id']}"
        assert Decimal(str(found["filled"])) >= filled, f"of {client_id} {filled} was filled, and now {found['filled']}"
    for client_id in acknowledged.cancelled:
        assert orders[client_id]["status"] == "canceled", f"{client_id} was cancelled, and is {orders[client_id]}"
    locked = sum(
        (
            Decimal(order["info"]["price"]) * Decimal(order["info"]["origQty"])
            - Decimal(order["info"]["cummulativeQuoteQty"])
        )
        for order in orders.values()
        if order["status"] == OPEN
    )
    told = {balance["asset"]: Decimal(balance["locked"]) for balance in account["balances"]}
    assert told["USDT"] == locked, f"{told['USDT']} is locked, and open orders hold {locked}"


async def _orders_and_account(client: Binance) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return every order, by client id, and the account as it is with them: the market may fill one in between."""
    orders = await _every_order(client)
    while True:
        account: dict[str, Any] = (await client.fetch_balance())["info"]
        before, orders = orders, await _every_order(client)
        if orders == before:
            return {order["clientOrderId"]: order for order in orders}, account


async def _every_order(client: Binance) -> list[dict[str, Any]]:
    orders: list[dict[str, Any]] = []
    while True:
        last = int(orders[-1]["id"]) + 1 if orders else 1
        page = await client.fetch_orders(SYMBOL, None, 1_000, {"orderId": last})
        if not page:
            return orders
        orders += page


def main() -> int:
    """Run the rounds asked for."""
    rounds, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else secrets.randbits(32)
    sys.stdout.write(f"the exchange is killed {rounds} times, seed {seed}\n")
    with ExchangeProject() as project:
        acknowledged = asyncio.run(kill_rounds(project, rounds, seed))
    orders, cancels = len(acknowledged.orders), len(acknowledged.cancelled)
    sys.stdout.write(f"{orders} orders and {cancels} cancels were acknowledged, all were kept\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
