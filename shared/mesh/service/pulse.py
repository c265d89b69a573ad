"""The pulse of a process: it says who it is and that its loop moves, and notices when the loop stood still.

Everything that begins on the loop looks here first: each reading of a socket, each timer, each word from outside. The
beats bound the time between two looks, so a longer one means that the process did not run: stopped, starved, suspended,
or busy in its own core.
"""

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from proto.fields import clipped
from proto.health import TROUBLES_MAX, Heartbeat, Hello
from proto.risk import Anchor
from proto.streams import StreamPosition
from shared.core.service import ShowFlattenStep
from shared.mesh.clock import Clock

BEAT_NS: Final = 500_000_000
# Whoever listens has to connect first, so a young process says more often that it runs, and a start is seen at once.
YOUNG_BEAT_NS: Final = 50_000_000
YOUNG_BEATS: Final = 10
HELLO_EVERY_BEATS: Final = 10
STALL_NS: Final = 1_000_000_000
_PAGE_BYTES: Final = resource.getpagesize()
_NS_PER_SECOND: Final = 1_000_000_000

State = Literal["booting", "running", "draining"]


@dataclass(frozen=True, slots=True)
class Workload:
    """What a heartbeat says about the work: how much was handled, what waits, and how far the streams have come."""

    handled: int
    queued: int
    published: Sequence[StreamPosition]
    anchor: Anchor | None
    troubles: Sequence[str]


class Pulse:
    """Counts the time between looks, and words the beats."""

    def __init__(
        self, *, clock: Clock, restarts: int, build_id: str, schema_digest: str, money_config_digest: str
    ) -> None:
        self.state: State = "booting"
        self._flatten_step = 0
        self._clock: Final = clock
        self._money_config_digest: Final = money_config_digest
        self._hello: Final = Hello(
            process_id=os.getpid(),
            restarts=restarts,
            build_id=build_id,
            schema_digest=schema_digest,
            money_config_digest=money_config_digest,
            account_fingerprint=None,
        )
        self._looked_ns = clock.boot_ns()
        self._gap_max_ns = 0
        self._beats = 0
        # Opened once: who has run out of descriptors goes on beating.
        self._memory: Final = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def pause_ns(self) -> int:
        """Say how long to wait for the next beat."""
        return YOUNG_BEAT_NS if self._beats < YOUNG_BEATS else BEAT_NS

    def look(self) -> int:
        """Return for how long the loop stood still, 0 when it did not. Call it before anything old can be read."""
        now_ns = self._clock.boot_ns()
        gap_ns = now_ns - self._looked_ns
        self._looked_ns = now_ns
        # A loop that has nothing to do is looked at with every beat; only what is longer is a gap.
        self._gap_max_ns = max(self._gap_max_ns, gap_ns - BEAT_NS)
        return gap_ns if gap_ns > STALL_NS else 0

    def beat(self, workload: Workload) -> tuple[Heartbeat, Hello | None]:
        """Return what to say now; who we are only now and then."""
        greets = self._beats % HELLO_EVERY_BEATS == 0
        self._beats += 1
        heartbeat = Heartbeat(
            state=self.state,
            handled=workload.handled,
            queued=workload.queued,
            flatten_step=self._flatten_step,
            money_config_digest=self._money_config_digest,
            loop_gap_max_ns=self._gap_max_ns,
            memory_bytes=self._memory_bytes(),
            cpu_time_ns=_cpu_time_ns(),
            published=tuple(workload.published),
            anchor=workload.anchor,
            troubles=tuple(clipped(trouble) for trouble in workload.troubles[:TROUBLES_MAX]),
        )
        self._gap_max_ns = 0
        return heartbeat, self._hello if greets else None

    def show_step(self, effect: ShowFlattenStep) -> None:
        """Say with every beat from here on how far the flattening has come."""
        self._flatten_step = effect.step

    def close(self) -> None:
        """Beat no more."""
        os.close(self._memory)

    def _memory_bytes(self) -> int:
        """Return what the process holds in memory at this moment."""
        return int(os.pread(self._memory, 256, 0).split()[1]) * _PAGE_BYTES


def _cpu_time_ns() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int((usage.ru_utime + usage.ru_stime) * _NS_PER_SECOND)
