"""The flattener's hands: no order leaves without the role, and what stands in the journals is read as it is."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest_asyncio

from proto.fields import Side
from services.flattener.desk import NEVER, NOT_OURS, Desk
from services.flattener.vocabulary import (
    GiveRoleBack,
    ReadRecords,
    RecordsRead,
    RoleHeld,
    RoleIsFree,
    RoleNotHeld,
    TakeRole,
)
from shared.execution.vocabulary import Acknowledged, CancelOrder, CancelSent, OrderSent, StreamOpened
from shared.mesh.gateway.gateway import Gateway
from shared.mesh.journal import journal_directory
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.role_lock import RoleLock
from shared.mesh.seat import Post, Seat, sign, take_seat
from shared.mesh.settings import Configuration
from tests.proto.examples import BODIES
from tests.services.inspection.journals import written
from tests.services.sim_exchange.faults.sabotaged import Sabotaged, sabotaged
from tests.shared.mesh.gateway.opened import BRISK, CLOCK, SYMBOL, Brought, KeyAtHand, an_order
from tests.shared.mesh.settings.projects import a_configuration


class Hands:
    """A desk at an exchange that serves, and what it brought."""

    def __init__(self, exchange: Sabotaged, configuration: Configuration) -> None:
        gateway = Gateway(
            venue="binance",
            url=f"http://127.0.0.1:{exchange.venue.port}",
            key=KeyAtHand(),
            clock=CLOCK,
            draws=Random(7),  # noqa: S311  # waits that can be repeated
            is_halted=lambda: False,
            pace=BRISK,
        )
        self.post = Post("executor", PrivateDirectory(configuration.seats_directory), CLOCK)
        self.brought = Brought()
        self.desk = Desk(configuration, gateway, clock=CLOCK)
        self.desk.open(self.brought)

    async def sent(self, client_order_id: str, *, side: Side = "sell") -> OrderSent:
        """Send an order, and return what came of it."""
        self.desk.perform(an_order(client_order_id=client_order_id, side=side))
        return await self.brought.first(OrderSent, lambda told: told.client_order_id == client_order_id)


@pytest_asyncio.fixture
async def hands(tmp_path: Path) -> AsyncIterator[Hands]:
    """Return hands that can reach the venue."""
    async with sabotaged() as exchange:
        hands = Hands(exchange, a_configuration(tmp_path))
        await hands.brought.first(StreamOpened)
        yield hands
        hands.desk.close()


async def test_no_order_leaves_without_the_role(hands: Hands) -> None:
    """Before it is taken, after it is given back, and while the lock is not what it was: then another may have it."""
    assert (await hands.sent("before")).outcome == NOT_OURS
    hands.desk.perform(CancelOrder("before", SYMBOL))
    assert (await hands.brought.first(CancelSent)).outcome == NOT_OURS
    hands.desk.perform(TakeRole())
    held = await hands.brought.first(RoleHeld)
    assert (held.epoch, held.past.newest) == (1, None)
    assert isinstance((await hands.sent("ours")).outcome, Acknowledged)
    assert (await hands.sent("bought", side="buy")).outcome == NEVER
    lock = hands.post.directory.path / hands.post.lock
    lock.rename(lock.with_suffix(".moved"))
    assert (await hands.sent("lost")).outcome == NOT_OURS
    lock.with_suffix(".moved").rename(lock)
    hands.desk.perform(GiveRoleBack())
    await hands.brought.first(RoleIsFree)
    assert (await hands.sent("after")).outcome == NOT_OURS


async def test_role_given_back_is_the_executors_again(hands: Hands) -> None:
    """Whoever begins as the executor has a higher epoch than the flattener had."""
    hands.desk.perform(TakeRole())
    held = await hands.brought.first(RoleHeld)
    assert not isinstance(take_seat(hands.post), Seat)
    hands.desk.perform(GiveRoleBack())
    await hands.brought.first(RoleIsFree)
    seat = take_seat(hands.post)
    assert isinstance(seat, Seat)
    assert seat.epoch == held.epoch + 1
    seat.stop()


async def test_gate_that_another_holds_keeps_it_out(hands: Hands) -> None:
    """Whoever else is about to act for the executor, or to end it, comes first; the words say who."""
    gate = RoleLock.try_take(hands.post.directory, hands.post.gate)
    assert gate is not None
    sign(gate, hands.post, own_role="risk")
    hands.desk.perform(TakeRole())
    refused = await hands.brought.first(RoleNotHeld)
    assert "risk" in refused.words
    gate.release()


async def test_journal_that_cannot_be_read_is_no_need(hands: Hands, tmp_path: Path) -> None:
    """Nobody acts on what he cannot read: it is said why, and a role that was taken for it is free again."""
    hands.desk.perform(ReadRecords())
    nothing = (await hands.brought.first(RecordsRead)).past
    assert nothing is not None
    assert nothing.newest is None
    written(tmp_path, "executor", BODIES[:20])
    (file,) = journal_directory(tmp_path / "var", "executor").glob("*.journal")
    content = bytearray(file.read_bytes())
    content[content.find(b"executor-7-2")] ^= 1
    file.write_bytes(content)
    seen = len(hands.brought.all)
    hands.desk.perform(ReadRecords())
    read = await hands.brought.first(RecordsRead, since=seen)
    assert read.past is None
    assert read.trouble
    hands.desk.perform(TakeRole())
    assert (await hands.brought.first(RoleNotHeld)).words == read.trouble
    seat = take_seat(hands.post)
    assert isinstance(seat, Seat)
    seat.stop()
