"""Orders at an exchange that fails on command: what is told of each is never more than the truth allows."""

import asyncio
import re
from typing import Any

import pytest

from services.sim_exchange.faults.rulebook import Rule
from services.sim_exchange.faults.vocabulary import KNOWN_ERRORS
from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    NotSent,
    OpenOrdersRead,
    ReadAccount,
    ReadOpenOrders,
    ReadTrades,
    Rejected,
    TradesRead,
    Unproved,
    VenueClock,
    WeightTold,
)
from tests.services.sim_exchange.faults.sabotaged import Sabotaged
from tests.shared.mesh.gateway.opened import CLIENT_ID, CLOCK, SYMBOL, Opened, an_order, passed

NS_PER_SECOND = 1_000_000_000
LEFT_ALONE = re.compile(r"the venue wants to be left alone for [1-7] s")
PLACE = {"endpoint": "POST /api/v3/order"}
CANCEL = {"endpoint": "DELETE /api/v3/order"}
Fault = dict[str, Any]

GATEWAYS: list[Fault] = [
    {"kind": "http_status", "status": status, "body": body, "executed": executed}
    for status in (400, 403, 404, 409, 429, 500, 502, 503, 504, 520, 523, 524, 599)
    for body in ("html", "text", "empty")
    for executed in (True, False)
    if status != 429  # of which the gateway makes a pause: below
]
DOUBTS: list[Fault] = [
    {"kind": "venue_error", "code": code, "executed": executed}
    for code in (-1000, -1001, -1006, -1007, -1008)
    for executed in (True, False)
]
BODIES: list[Fault] = [
    {"kind": kind, "executed": executed}
    for kind in ("empty_body", "empty_object", "garbage_body")
    for executed in (True, False)
]
EXECUTED: list[Fault] = [
    {"kind": "drop_reply"},
    {"kind": "truncated_body"},
    {"kind": "foreign_body"},
    {"kind": "foreign_ack"},
    {"kind": "venue_error", "code": -2010, "message": "Duplicate order sent.", "executed": True},
]
REFUSED: list[Fault] = [{"kind": "venue_error", "code": code, "executed": False} for code in (-1021, -2010, -2015)]


def suffered(exchange: Sabotaged, fault: Fault, when: dict[str, Any]) -> Rule:
    """Let a fault strike from now on."""
    fields = dict(fault)
    return exchange.suffer(fields.pop("kind"), when=when, **fields)


@pytest.mark.parametrize(
    "faults",
    [GATEWAYS, DOUBTS, BODIES, EXECUTED, [{"kind": "drop_request"}, {"kind": "maintenance"}]],
    ids=["gateways", "doubts", "bodies", "executed", "lost"],
)
async def test_what_proves_nothing_is_unproved(exchange: Sabotaged, ready: Opened, faults: list[Fault]) -> None:
    """Whatever answer is no proof leaves it open, whether the order is there or not; it is asked for once."""
    for number, fault in enumerate(faults):
        client_order_id = f"{CLIENT_ID}{number}"
        rule = suffered(exchange, fault, when=PLACE)
        sent = await ready.sent(an_order(client_order_id=client_order_id, quantity="0.001"))
        assert isinstance(sent.outcome, Unproved), f"{fault}: {sent}"
        assert sent.signed_venue_time_ns is not None
        assert rule.fired == 1, f"{fault}: sent {rule.fired} times"
        is_there = client_order_id in [order.client_id for order in exchange.orders()]
        assert is_there == fault.get("executed", fault in EXECUTED), fault
        exchange.saboteur.remove(rule.fault_id)


async def test_what_the_venue_refuses_is_rejected(exchange: Sabotaged, ready: Opened) -> None:
    """An answer on the list of definite refusals is a refusal, in the venue's words."""
    for fault in REFUSED:
        rule = suffered(exchange, fault, when=PLACE)
        await ready.brought.first(VenueClock)
        sent = await ready.sent(an_order())
        assert sent.outcome == Rejected(str(fault["code"]), KNOWN_ERRORS[fault["code"]][1])
        exchange.saboteur.remove(rule.fault_id)
        await ready.brought.first(VenueClock, since=len(ready.brought.all))
    assert not exchange.orders()


async def test_order_that_arrives_late_but_in_time_is_acknowledged(exchange: Sabotaged, ready: Opened) -> None:
    """An order that was held up on its way, and still came within its window, is waited for."""
    exchange.suffer("late_arrival", delay_ms=300, when=PLACE)
    assert isinstance((await ready.sent(an_order())).outcome, Acknowledged)


async def test_order_that_is_held_up_too_long_is_unproved(exchange: Sabotaged, ready: Opened) -> None:
    """After its window nobody waits for an order any more, and the venue does not take it any more, either."""
    exchange.suffer("late_arrival", delay_ms=800, when=PLACE)
    sent = await ready.sent(an_order(window_ns=NS_PER_SECOND // 2))
    assert sent.outcome == Unproved(None, "", "no answer within 0.5 s")
    await asyncio.sleep(0.5)
    assert exchange.fired
    assert not exchange.orders()


async def test_clock_that_was_set_is_measured_anew(exchange: Sabotaged, ready: Opened) -> None:
    """After the venue has refused a stamp its time is measured anew, and the next order is on time."""
    exchange.venue.clock.offset_ms += 60_000
    refused = await ready.sent(an_order())
    assert isinstance(refused.outcome, Rejected)
    assert refused.outcome.code == "-1021"
    await ready.brought.first(VenueClock, since=len(ready.brought.all))
    assert isinstance((await ready.sent(an_order())).outcome, Acknowledged)


# Cancellations.


async def test_lost_answer_to_a_cancellation_proves_nothing(exchange: Sabotaged, ready: Opened) -> None:
    """A cancellation whose answer is lost is unproved, and is not sent a second time by whatever library."""
    await ready.sent(an_order())
    rule = exchange.suffer("drop_reply", when=CANCEL)
    assert isinstance((await ready.canceled()).outcome, Unproved)
    assert rule.fired == 1
    assert exchange.orders()[0].status == "CANCELED"


@pytest.mark.parametrize("fault", [*DOUBTS[:2], *BODIES, *EXECUTED[1:3], GATEWAYS[-1]], ids=str)
async def test_answer_that_proves_no_cancellation(exchange: Sabotaged, ready: Opened, fault: Fault) -> None:
    """Whatever answer does not echo our id proves nothing of a cancellation."""
    await ready.sent(an_order())
    suffered(exchange, fault, when=CANCEL)
    assert isinstance((await ready.canceled()).outcome, Unproved)


# Being left alone.


@pytest.mark.parametrize(("kind", "code"), [("rate_limited", "-1003"), ("banned", "-1003")])
async def test_venue_that_wants_to_be_left_alone_is_left_alone(
    exchange: Sabotaged, ready: Opened, kind: str, code: str
) -> None:
    """An order that met a limit was refused; the next is not sent before the time that the venue said has passed."""
    asked_ns = CLOCK.boot_ns()
    when = {**PLACE, **({"until": "+7s"} if kind == "banned" else {})}
    exchange.suffer(kind, when=when, **({"retry_after_seconds": 7} if kind == "rate_limited" else {}))
    refused = await ready.sent(an_order())
    assert isinstance(refused.outcome, Rejected)
    assert refused.outcome.code == code
    told = ready.brought.of(WeightTold)[-1]
    assert told.banned_until_boot_ns is not None
    left_ns, passed_ns = told.banned_until_boot_ns - CLOCK.boot_ns(), CLOCK.boot_ns() - asked_ns
    assert 6 * NS_PER_SECOND - passed_ns < left_ns <= 7 * NS_PER_SECOND
    kept = (await ready.sent(an_order())).outcome
    assert isinstance(kept, NotSent)
    assert LEFT_ALONE.fullmatch(kept.reason)
    assert isinstance((await ready.canceled()).outcome, NotSent)
    assert LEFT_ALONE.fullmatch((await ready.read()).failure or "")
    assert not exchange.orders()


async def test_pause_that_is_not_said_is_made(exchange: Sabotaged, ready: Opened) -> None:
    """A limit that does not say for how long makes a pause as well, and then all goes on."""
    exchange.suffer("rate_limited", when={**PLACE, "most": 1})
    assert isinstance((await ready.sent(an_order())).outcome, Rejected)
    assert isinstance((await ready.sent(an_order())).outcome, NotSent)
    await passed(ready.brought.of(WeightTold)[-1].banned_until_boot_ns)
    assert isinstance((await ready.sent(an_order())).outcome, Acknowledged)


async def test_limit_on_orders_stops_no_cancellation(exchange: Sabotaged, ready: Opened) -> None:
    """Too many orders close the way for orders alone: cancellations and questions go on."""
    await ready.sent(an_order())
    exchange.suffer("venue_error", code=-1015, executed=False, when=PLACE)
    assert isinstance((await ready.sent(an_order(client_order_id="another"))).outcome, Rejected)
    assert isinstance((await ready.sent(an_order(client_order_id="a-third"))).outcome, NotSent)
    assert (await ready.read()).failure is None
    assert isinstance((await ready.canceled()).outcome, Acknowledged)


# Questions.


@pytest.mark.parametrize(
    "fault", [*DOUBTS[::2], *BODIES[::2], {"kind": "drop_reply"}, {"kind": "foreign_body"}, *GATEWAYS[:6:2]], ids=str
)
async def test_failed_question_is_no_answer(exchange: Sabotaged, ready: Opened, fault: Fault) -> None:
    """An answer that is none says that nothing is known: neither that the order is there nor that it is not."""
    await ready.sent(an_order())
    rule = suffered(exchange, fault, when={"endpoint": "GET /api/v3/order"})
    read = await ready.read()
    assert read.order is None
    assert read.failure
    assert rule.fired == 1


async def test_failed_readings_are_not_empty_readings(exchange: Sabotaged, ready: Opened) -> None:
    """A reading of the account that failed says so, and is not an account without anything in it."""
    exchange.suffer("http_status", status=502, executed=False, when={"endpoint": "GET *"})
    ready.gateway.perform(ReadAccount(1))
    ready.gateway.perform(ReadOpenOrders(2))
    ready.gateway.perform(ReadTrades(3, SYMBOL, None, None))
    failures = [
        (await ready.brought.first(AccountRead)).failure,
        (await ready.brought.first(OpenOrdersRead)).failure,
        (await ready.brought.first(TradesRead)).failure,
    ]
    assert failures == ["HTTP 502: nothing of the venue's"] * 3
