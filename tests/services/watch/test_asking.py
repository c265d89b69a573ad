"""Asking metrics again and again, whatever is there."""

import asyncio
from pathlib import Path

import zmq

from services.watch.asking import Given, Inquiry, NotGiven
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from shared.mesh.settings import Configuration, load_configuration
from tests.services.watch.conftest import WatchedProject
from tests.services.watch.terminal import PATIENCE_S


def _configuration(root: Path) -> Configuration:
    return load_configuration(root=root, environment={})


async def _given(inquiry: Inquiry) -> Given:
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance(answer := await inquiry.ask(), Given):
            pass
    return answer


async def test_keys_that_come_later_are_found(project: WatchedProject) -> None:
    """Who began to watch before the first `bowline up` sees the mesh come, without beginning anew."""
    inquiry = Inquiry(_configuration(project.root), SystemClock())
    try:
        answer = await inquiry.ask()
        assert isinstance(answer, NotGiven)
        assert "no mesh has run here" in answer.trouble
        project.start()
        while not isinstance(answer := await inquiry.ask(), Given):
            assert "`bowline up`" in answer.trouble
    finally:
        inquiry.close()


async def test_two_who_watch_get_answers_of_their_own(project: WatchedProject) -> None:
    """Nobody is given what another asked for: each answer is the next one."""
    project.start()
    inquiries = [Inquiry(_configuration(project.root), SystemClock()) for _ in range(2)]
    try:
        bids = [(await _given(inquiry)).measures.symbols[0].bid_price or 0 for inquiry in inquiries * 3]
        assert bids == sorted(set(bids))  # on a busy machine one may come too late, and the one after it is taken
    finally:
        for inquiry in inquiries:
            inquiry.close()


async def test_answers_of_another_version_are_said_to_be_unreadable(project: WatchedProject) -> None:
    """Where metrics answers in a way this version cannot read, it says so, and that metrics has to be restarted."""
    project.make_keys()
    configuration = _configuration(project.root)
    inquiry = Inquiry(configuration, SystemClock())
    with (
        PrivateDirectory(configuration.keys_directory) as keys,
        RunDirectory(configuration.run_directory) as run_directory,
    ):
        ring = load_key_ring(keys, "metrics")
        hub = Hub(loop=asyncio.get_running_loop(), keys=ring, run_directory=run_directory, overrides={})
        try:
            socket = hub.bind(zmq.ROUTER, "snapshot")

            def answer_strangely(parts: list[bytes]) -> None:
                socket.send_multipart([parts[0], b"", b"of another version"])

            hub.drain(socket, answer_strangely)
            answer = await inquiry.ask()
        finally:
            inquiry.close()
            hub.close()
    assert answer == NotGiven("the answers of metrics cannot be read (malformed): `bowline restart metrics`")
