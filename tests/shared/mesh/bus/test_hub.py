"""A hub ends what it began: sockets, work and waiting."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from proto.control import Kill
from shared.mesh.bus.numbered import EventReader
from shared.mesh.bus.requests import ASKED_MAX, RequestTimedOutError
from shared.mesh.bus.stream import Subscriber
from shared.mesh.clock import VirtualClock
from tests.shared.mesh.bus.conftest import Mesh

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

KILL = Kill(actor="ada", reason="prices look wrong")


async def _follow_in_vain(mesh: Mesh) -> None:
    """Follow a feed and an executor that are not there, for one turn of the loop."""
    risk = mesh.process("risk")
    Subscriber(
        hub=risk.hub,
        instance="feed",
        topic_prefix=b"",
        requester=risk.asks("feed", "history"),
        clock=risk.clock,
        on_events=lambda _: None,
    )
    EventReader(
        hub=risk.hub,
        instance="executor",
        name="reports",
        next_sequence=1,
        requester=risk.asks("executor", "tail"),
        codec=risk.codec,
        on_events=lambda _: None,
        on_loss=lambda _: None,
    )
    await asyncio.sleep(0)
    mesh.end_all()


def test_a_loop_that_ends_after_its_hub_leaves_nothing_behind(run_directory: Path) -> None:
    """Closing the hub ends what its readers ask for in vain: the loop may end at once, and nobody complains."""
    complaints: list[str] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    loop.run_until_complete(_follow_in_vain(Mesh(run_directory)))
    pending = asyncio.all_tasks(loop)
    loop.close()
    gc.collect()
    assert not pending
    assert not complaints


async def test_whoever_waits_for_an_answer_goes_on_when_the_hub_closes(mesh: Mesh) -> None:
    """A question that is open when the hub closes times out at once."""
    operator = mesh.process("operator")
    asking = asyncio.ensure_future(operator.asks("risk", "control").ask(KILL))
    await asyncio.sleep(0)
    mesh.end(operator)
    with pytest.raises(RequestTimedOutError, match=r"risk\.control was left before it answered"):
        await asking


async def test_what_work_raises_is_told_at_once(mesh: Mesh, eventually: Eventually) -> None:
    """Work that fails is no secret of whoever keeps it: the loop hears of it though the task lives on."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    failure = OSError("the disk is gone")

    async def fail() -> None:
        raise failure

    kept = mesh.process("risk").hub.start(fail())
    await eventually(lambda: told)
    assert (told, kept.done()) == ([failure], True)


async def test_who_may_not_ask_now_asks_later(mesh: Mesh, eventually: Eventually) -> None:
    """A follower whose requester is full counts it and asks again with pauses, and nothing fails."""
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    process = mesh.process("risk")
    standing = VirtualClock(boot_ns=process.clock.boot_ns())  # so what was asked stays open
    history, tail = process.asks("feed", "history", clock=standing), process.asks("executor", "tail", clock=standing)
    asking = [asyncio.ensure_future(full.ask(KILL)) for full in (history, tail) for _ in range(ASKED_MAX)]
    await asyncio.sleep(0)
    subscriber = Subscriber(
        hub=process.hub,
        instance="feed",
        topic_prefix=b"",
        requester=history,
        clock=process.clock,
        on_events=lambda _: None,
    )
    reader = EventReader(
        hub=process.hub,
        instance="executor",
        name="reports",
        next_sequence=1,
        requester=tail,
        codec=process.codec,
        on_events=lambda _: None,
        on_loss=lambda _: None,
    )
    await eventually(lambda: min(each.refused["too many requests"] for each in (subscriber, reader)) >= 2)
    assert not told
    mesh.end_all()
    await asyncio.gather(*asking, return_exceptions=True)
