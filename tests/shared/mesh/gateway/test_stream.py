"""The private stream of an exchange that fails on command: what is told, and how its end and new beginning are said."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from services.sim_exchange.venue.vocabulary import Transfer
from shared.execution.vocabulary import (
    Acknowledged,
    OrderTold,
    StreamLost,
    StreamOpened,
    TransferTold,
    VenueTrade,
)
from tests.services.sim_exchange.face.venue import until
from tests.services.sim_exchange.faults.sabotaged import Sabotaged
from tests.shared.mesh.gateway.opened import BRISK, CLIENT_ID, SYMBOL, Opened, an_order, opened

MARKET = {"order_type": "market", "limit_price": None}


def is_of(client_order_id: str, status: str) -> Callable[[OrderTold], bool]:
    """Return what looks for an order in a state."""
    return lambda told: (told.order.client_order_id, told.order.status) == (client_order_id, status)


async def test_order_is_told(exchange: Sabotaged, ready: Opened) -> None:
    """The stream tells of an order that came into the book, under both ids, without a trade."""
    await ready.sent(an_order())
    told = await ready.brought.first(OrderTold)
    assert told.trade is None
    assert (told.order.symbol, told.order.client_order_id, told.order.status) == (SYMBOL, CLIENT_ID, "open")
    assert told.order.venue_order_id == str(exchange.orders()[0].order_id)


async def test_fills_are_told_with_their_trades(exchange: Sabotaged, ready: Opened) -> None:
    """Each fill comes with its trade: what, at which price, and what it cost."""
    await ready.sent(an_order(order_type="market", limit_price=None, quantity="1.5"))
    await ready.brought.first(OrderTold, is_of(CLIENT_ID, "filled"))
    trades = [told.trade for told in ready.brought.of(OrderTold) if told.trade is not None]
    truth = exchange.desk.core.own_trades("alice", "BTCUSDT")
    assert [trade.trade_id for trade in trades] == [one.fill.trade_id for one in truth]
    assert trades[0] == VenueTrade(
        symbol=SYMBOL,
        trade_id=truth[0].fill.trade_id,
        venue_order_id=str(truth[0].order_id),
        side="buy",
        price=truth[0].fill.price,
        quantity=truth[0].fill.quantity,
        quote_quantity=truth[0].fill.quote_quantity,
        fee=truth[0].fill.fee,
        fee_asset="BTC",
        liquidity="taker",
        venue_time_ns=truth[0].fill.time_ms * 1_000_000,
    )


async def test_cancellation_is_told_of_the_order(ready: Opened) -> None:
    """What is told of a cancelled order carries the order's id, not that of the cancellation."""
    await ready.sent(an_order())
    await ready.canceled()
    await ready.brought.first(OrderTold, is_of(CLIENT_ID, "canceled"))


async def test_transfer_is_told(exchange: Sabotaged, ready: Opened) -> None:
    """Money that comes or goes is told, each time under a reference of its own."""
    for amount in ("100", "-50"):
        exchange.desk.carry_out(Transfer(account="alice", asset="USDT", amount=Decimal(amount)))
    await ready.brought.until(lambda: len(ready.brought.of(TransferTold)) == 2)
    first, second = ready.brought.of(TransferTold)
    assert (first.asset, first.quantity, second.quantity) == ("USDT", Decimal(100), Decimal(-50))
    assert first.reference != second.reference


async def test_reports_are_told_as_often_and_in_the_order_they_come(exchange: Sabotaged, ready: Opened) -> None:
    """What comes twice or late is told twice or late: nobody but the core knows what to make of it."""
    exchange.suffer("report_duplicated", times=3, when={"nth": [1]})
    await ready.sent(an_order())
    await ready.brought.until(lambda: len(ready.brought.of(OrderTold)) == 3)
    assert len({told.order.venue_order_id for told in ready.brought.of(OrderTold)}) == 1


@pytest.mark.parametrize("code", [None, 1008, 1011])
async def test_cut_stream_is_made_anew(exchange: Sabotaged, ready: Opened, code: int | None) -> None:
    """A stream that the venue ends is said to be lost, with the reason, and opened again."""
    seen = len(ready.brought.all)
    exchange.suffer("stream_cut", code=code, when={"account": "alice"})
    lost = await ready.brought.first(StreamLost, since=seen)
    assert code is None or lost.reason == f"closed with code {code}"
    await ready.brought.first(StreamOpened, since=seen)
    await ready.sent(an_order())
    await ready.brought.first(OrderTold)
    assert len(ready.brought.of(StreamLost)) == 1


async def test_stream_that_tells_nothing_of_an_order_is_given_up(exchange: Sabotaged) -> None:
    """A stream that stays silent about an order that the venue acknowledged is held for dead, and made anew."""
    pace = replace(BRISK, report_seconds=0.3)
    async with opened(f"http://127.0.0.1:{exchange.venue.port}", pace=pace) as gateway:
        await gateway.is_ready()
        exchange.suffer("stream_silent", when={"account": "alice"})
        seen = len(gateway.brought.all)
        assert isinstance((await gateway.sent(an_order())).outcome, Acknowledged)
        lost = await gateway.brought.first(StreamLost, since=seen)
        assert lost.reason == "it told nothing of an order that the venue acknowledged"
        await gateway.brought.first(StreamOpened, since=seen)


async def test_stream_that_tells_is_kept(exchange: Sabotaged) -> None:
    """An order that was told of, be it before its acknowledgement or after it, holds no stream for dead."""
    pace = replace(BRISK, report_seconds=1.0)
    async with opened(f"http://127.0.0.1:{exchange.venue.port}", pace=pace) as gateway:
        await gateway.is_ready()
        for number in range(3):
            await gateway.sent(an_order(client_order_id=f"{CLIENT_ID}{number}"))
        await gateway.brought.until(lambda: len(gateway.brought.of(OrderTold)) == 3)
        exchange.suffer("late_arrival", delay_ms=1_500, when={"endpoint": "GET /api/v3/order"})
        assert (await gateway.read(f"{CLIENT_ID}0")).order is not None
        assert not gateway.brought.of(StreamLost)


async def test_stream_is_renewed_without_a_gap(exchange: Sabotaged) -> None:
    """Before the venue ends it a connection is followed by another, and what happens meanwhile is told."""
    pace = replace(BRISK, stay_seconds=0.2)
    async with opened(f"http://127.0.0.1:{exchange.venue.port}", pace=pace) as gateway:
        await gateway.is_ready()
        sockets = exchange.venue.face.user_sockets
        first = set(sockets.connections)
        for number in range(30):
            await gateway.sent(an_order(client_order_id=f"{CLIENT_ID}{number}", quantity="0.001"))
        await until(lambda: not first & set(sockets.connections))
        await gateway.brought.until(
            lambda: len({told.order.client_order_id for told in gateway.brought.of(OrderTold)}) == 30
        )
        assert not gateway.brought.of(StreamLost)


async def test_key_that_is_revoked_loses_the_stream(exchange: Sabotaged, ready: Opened) -> None:
    """Without its key the stream is lost, and asked for again and again until it is there."""
    rule = exchange.suffer("key_revoked", when={"account": "alice"})
    await ready.brought.first(StreamLost, lambda lost: "-2015" in lost.reason)
    exchange.saboteur.remove(rule.fault_id)
    seen = len(ready.brought.all)
    await ready.brought.first(StreamOpened, since=seen)
