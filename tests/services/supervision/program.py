"""A small program of a mesh for tests: takes its seat as every process does, and bears witness of when it had it.

    python -m tests.services.supervision.program ROOT INSTANCE CONDUCT

CONDUCT: `steady` ends in order on SIGTERM, `beating` sends heartbeats as well, `stubborn` does not hear SIGTERM, and
`brief` says something and ends at once.
"""

import asyncio
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import Final

from proto.codec import EnvelopeCodec
from proto.health import Heartbeat
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.latest import Announcer
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from shared.mesh.seat import Post, Seat, Standby, stand_by, take_seat
from shared.mesh.settings import load_configuration

BEAT_S: Final = 0.1
STANDBY_NS: Final = 20_000_000
HEARTBEAT: Final = Heartbeat(
    state="running",
    handled=0,
    queued=0,
    flatten_step=0,
    money_config_digest="0" * 64,
    loop_gap_max_ns=0,
    memory_bytes=0,
    cpu_time_ns=0,
    published=(),
    anchor=None,
)


def main() -> None:
    """Do as told by the arguments."""
    root, instance, conduct = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    sys.stderr.write(f"{instance} is {conduct}\n")
    if conduct == "brief":
        sys.exit("cannot go on: the moon is in the wrong house")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    clock = SystemClock()
    var = Path(os.environ.get("BOWLINE_PATHS__VAR_DIRECTORY", root / "var"))
    post = Post(instance, PrivateDirectory(var / "seats"), clock)
    seat = stand_by(lambda: take_seat(post), _wait)
    assert isinstance(seat, Seat)
    witness = os.open(root / "witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    sole = os.open(root / f"{instance}.sole", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(sole, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _testify(witness, "took", instance)
    except BlockingIOError:
        _testify(witness, "TWO HOLDERS", instance)
    if conduct == "beating":
        _beat_until_terminated(root, Sender(instance=instance, epoch=seat.epoch, clock=clock))
    elif conduct == "stubborn":
        signal.sigwait({signal.SIGUSR1})
    else:
        signal.sigwait({signal.SIGTERM})
    _testify(witness, "left", instance)
    os.close(sole)
    seat.stop()


def _wait(standby: Standby) -> bool:
    """Wait for the holder to go; end on SIGTERM, as whoever stands by may."""
    standby.wait(timeout_ns=STANDBY_NS)
    if signal.SIGTERM in signal.sigpending():
        sys.exit(0)
    return True


def _testify(witness: int, word: str, instance: str) -> None:
    os.write(witness, f"{word} {instance} {os.getpid()}\n".encode())


def _beat_until_terminated(root: Path, sender: Sender) -> None:
    asyncio.run(_beat(root, sender))


async def _beat(root: Path, sender: Sender) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    settings = load_configuration(root=root, environment={}).settings
    ring = load_key_ring(PrivateDirectory(root / "var/keys"), sender.instance)
    run_directory = RunDirectory(root / "var/run")
    hub = Hub(loop=loop, keys=ring, run_directory=run_directory, overrides=settings.mesh.addresses)
    health = Announcer(hub=hub, name="health", sender=sender, codec=EnvelopeCodec())
    while not ended.is_set():
        health.say(HEARTBEAT)
        try:
            async with asyncio.timeout(BEAT_S):
                await ended.wait()
        except TimeoutError:
            continue
    hub.close()


if __name__ == "__main__":
    main()
