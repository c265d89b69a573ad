"""Which question is asked next, and what stays unasked."""

import asyncio
from dataclasses import replace

from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    OpenOrdersRead,
    OrderRead,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    Rejected,
    TradesRead,
    WeightTold,
)
from shared.mesh.gateway.questions import Questions, Read
from shared.mesh.gateway.reads import KEPT
from tests.services.sim_exchange.faults.sabotaged import Sabotaged
from tests.shared.mesh.gateway.opened import BRISK, CLIENT_ID, SYMBOL, Opened, an_order, opened, passed

IN_DOUBT = ReadOrder(CLIENT_ID, SYMBOL)
FOR_A_COVER = ReadTrades(0, SYMBOL, None, None, is_urgent=True)
ROUTINE: list[Read] = [ReadAccount(1), ReadOpenOrders(2), ReadTrades(3, SYMBOL, None, None)]


async def taken(questions: Questions, count: int) -> list[Read]:
    """Take so many questions."""
    return [await questions.next(with_routine=True) for _ in range(count)]


async def test_question_about_an_order_goes_ahead() -> None:
    """However many routine questions wait, those that an order's fate hangs on come first, each in its turn."""
    questions = Questions(waiting_max=3)
    for wanted in (*ROUTINE, IN_DOUBT, FOR_A_COVER):
        assert questions.add(wanted)
    assert await taken(questions, 5) == [IN_DOUBT, FOR_A_COVER, *ROUTINE]


async def test_full_line_of_routine_leaves_room_for_an_order() -> None:
    """A line that is full takes no more; the other one has its own bound. What waits already finds room."""
    questions = Questions(waiting_max=1)
    assert [questions.add(wanted) for wanted in (*ROUTINE, IN_DOUBT, IN_DOUBT, FOR_A_COVER)] == [
        True, False, False, True, True, False
    ]  # fmt: skip
    assert await taken(questions, 2) == [IN_DOUBT, ROUTINE[0]]


async def test_who_asks_for_orders_only_leaves_routine_alone() -> None:
    """One hand stays free: it takes no routine, and what goes ahead as soon as it comes."""
    questions = Questions(waiting_max=3)
    questions.add(ROUTINE[0])
    waiting = asyncio.create_task(questions.next(with_routine=False))
    await asyncio.sleep(0)
    assert not waiting.done()
    questions.add(IN_DOUBT)
    assert await waiting == IN_DOUBT


async def test_order_in_doubt_is_found_while_routine_is_not_answered(exchange: Sabotaged) -> None:
    """Though a hundred readings wait and the first ones get no answer, an order is asked for at once."""
    async with opened(f"http://127.0.0.1:{exchange.venue.port}", pace=replace(BRISK, read_seconds=30.0)) as gateway:
        await gateway.is_ready()
        exchange.suffer("late_arrival", delay_ms=10_000, when={"endpoint": "GET /api/v3/openOrders"})
        for number in range(1, 101):
            gateway.gateway.perform(ReadOpenOrders(number))
        for _ in range(2):
            gateway.gateway.perform(IN_DOUBT)
        found = await gateway.brought.first(OrderRead)
        assert found.failure is None
        assert not gateway.brought.of(OpenOrdersRead)
        assert not gateway.brought.of(AccountRead)


async def test_half_of_the_weight_is_kept_for_orders(exchange: Sabotaged, ready: Opened) -> None:
    """From half of what the venue grants a minute on routine readings fail, and everything about orders goes on."""
    for number in range(1, 101):
        ready.gateway.perform(ReadOpenOrders(number))
    await ready.brought.until(lambda: len(ready.brought.of(OpenOrdersRead)) == 100)
    told = ready.brought.of(OpenOrdersRead)
    assert {read.failure for read in told} == {None, KEPT}
    assert max(told.used_weight for told in ready.brought.of(WeightTold)) < 3_000 + 4 * 80
    assert isinstance((await ready.sent(an_order())).outcome, Acknowledged)
    assert (await ready.read()).order is not None
    ready.gateway.perform(FOR_A_COVER)
    assert (await ready.brought.first(TradesRead)).failure is None
    assert isinstance((await ready.canceled()).outcome, Acknowledged)
    assert not exchange.fired


async def test_after_a_limit_was_met_orders_come_first(exchange: Sabotaged, ready: Opened) -> None:
    """After the time that the venue said orders go at once, and routine when an answer shows how much is left."""
    exchange.suffer("rate_limited", retry_after_seconds=1, when={"endpoint": "POST /api/v3/order", "most": 1})
    assert isinstance((await ready.sent(an_order())).outcome, Rejected)
    ready.gateway.perform(ReadAccount(1))
    assert (await ready.brought.first(AccountRead)).failure == KEPT
    await passed(ready.brought.of(WeightTold)[-1].banned_until_boot_ns)
    assert isinstance((await ready.sent(an_order())).outcome, Acknowledged)
    ready.gateway.perform(ReadAccount(2))
    assert (await ready.brought.first(AccountRead, lambda read: read.read_number == 2)).failure is None
