"""A hub ends what it began: sockets, work and waiting."""

import asyncio
import gc
from pathlib import Path

import pytest

from proto.control import Kill
from shared.mesh.bus.numbered import EventReader
from shared.mesh.bus.requests import RequestTimedOutError
from shared.mesh.bus.stream import Subscriber
from tests.shared.mesh.bus.conftest import Mesh

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
        await asyncio.wait_for(asking, 0.4)  # the first attempt alone takes longer
