"""Rounds of chaos: who is hit, how and when, from a seed; and that the mesh heals, and nobody else goes down."""

import os
import random
import select
import signal
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from shared.mesh.clock import SystemClock
from tests.chaos.judge import judged
from tests.chaos.mesh import SERVICES, ChaosMesh
from tests.chaos.publisher import TOPICS
from tests.chaos.requester import OUTSTANDING_MAX

SUPERVISORD: Final = "supervisord"
VICTIMS: Final = (*SERVICES, "overseer", SUPERVISORD)
ROUNDS_TO_HEAL: Final = 3
# A third death of one process within a minute is a crash loop, which is not what is tried here.
DEATHS_MAX: Final = 2
DEATHS_WINDOW_NS: Final = 65_000_000_000
HEALED_NS_MAX: Final = 90_000_000_000
PAUSE_MS: Final = 20


@dataclass(frozen=True, slots=True)
class Act:
    """One hit: killed, or stopped for a while where that is given, after a wait."""

    victim: str
    wait_ms: int
    frozen_ms: int | None

    @property
    def words(self) -> str:
        """Say it."""
        how = "killed" if self.frozen_ms is None else f"stopped for {self.frozen_ms} ms"
        return f"after {self.wait_ms} ms {self.victim} is {how}"


class Chaos:
    """Hits a mesh, round after round, and sees it heal."""

    def __init__(self, mesh: ChaosMesh, *, seed: int, frozen_ms_max: int, say: Callable[[str], None]) -> None:
        self._mesh: Final = mesh
        self._random: Final = random.Random(seed)  # noqa: S311 -- a seed has to bring the same acts again
        self._frozen_ms_max: Final = frozen_ms_max
        self._say: Final = say
        self._clock: Final = SystemClock()
        self._deaths_ns: Final[dict[str, deque[int]]] = {victim: deque(maxlen=DEATHS_MAX) for victim in VICTIMS}

    def go_through(self, rounds: int) -> list[str]:
        """Bring the mesh up, hit it so many times, bring it down, and return what is wrong."""
        brought_up = self._mesh.run("up")
        assert brought_up.code == 0, brought_up.everything
        self._heal()
        before, hit = self._processes(), set[str]()
        for number in range(1, rounds + 1):
            act = self._choose()
            self._say(f"round {number}: {act.words}")
            self._perform(act)
            if act.frozen_ms is None:
                hit.add(act.victim)
            if number % ROUNDS_TO_HEAL == 0 or number == rounds:
                self._heal()
                after = self._processes()
                self._compare(before, after, hit)
                before, hit = after, set()
        return self._end()

    def _choose(self) -> Act:
        victim = self._random.choice(VICTIMS)
        wait_ms = self._random.randrange(0, 700)
        frozen_ms = self._random.randrange(200, self._frozen_ms_max)
        dies = self._random.random() < 0.6
        if victim == SUPERVISORD:
            return Act(victim, wait_ms, None)
        deaths_ns, now_ns = self._deaths_ns[victim], self._clock.boot_ns()
        looping = len(deaths_ns) == DEATHS_MAX and now_ns - deaths_ns[0] < DEATHS_WINDOW_NS
        if not dies or looping:
            return Act(victim, wait_ms, frozen_ms)
        deaths_ns.append(now_ns)
        return Act(victim, wait_ms, None)

    def _perform(self, act: Act) -> None:
        _pause(act.wait_ms)
        if act.victim == SUPERVISORD:
            self._mesh.kill(self._mesh.supervisor_id())
            _pause(act.wait_ms)
            brought_up = self._mesh.run("up")
            assert brought_up.code == 0, brought_up.everything
            return
        handle = os.pidfd_open(self._living(act.victim))
        try:
            with suppress(ProcessLookupError):
                if act.frozen_ms is None:
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                else:
                    signal.pidfd_send_signal(handle, signal.SIGSTOP)
                    _pause(act.frozen_ms)
                    signal.pidfd_send_signal(handle, signal.SIGCONT)
        finally:
            os.close(handle)

    def _living(self, victim: str) -> int:
        """Return the process of a program, as soon as there is one; it may be just starting."""
        found = 0

        def alive() -> bool:
            nonlocal found
            found = self._mesh.programs()[victim].process_id
            return bool(found)

        self._await(f"{victim} has a process", alive)
        return found

    def _heal(self) -> None:
        """Wait until all is well again, and everything flows."""
        mesh = self._mesh
        self._await("all is well", lambda: mesh.run("status", "--json").code == 0)
        answered, seen, recorded = len(mesh.answered()), len(mesh.ledgers["metrics"].look()), mesh.recorded()
        self._await("requests flow", lambda: len(mesh.answered()) > answered + OUTSTANDING_MAX)
        self._await("market data flows", lambda: mesh.topics_seen_since(seen) == set(TOPICS))
        self._await("the follower is level", lambda: mesh.told() >= recorded)

    def _await(self, words: str, holds: Callable[[], bool]) -> None:
        """Look until something holds, at most for as long as healing may take."""
        deadline_ns = self._clock.boot_ns() + HEALED_NS_MAX
        while not holds():
            if self._clock.boot_ns() > deadline_ns:
                status = self._mesh.run("status").everything
                raise AssertionError(f"it never came to that: {words}\n{status}\n{self._mesh.logs(SERVICES)}")
            _pause(PAUSE_MS)

    def _processes(self) -> dict[str, int]:
        return {name: program.process_id for name, program in self._mesh.programs().items()}

    def _compare(self, before: dict[str, int], after: dict[str, int], hit: set[str]) -> None:
        if SUPERVISORD in hit:  # all its children are replaced, one by one
            return
        changed = {name for name in before if before[name] != after[name]}
        assert changed <= hit, f"{sorted(changed - hit)} went down with {sorted(hit)}\n{self._mesh.logs(SERVICES)}"

    def _end(self) -> list[str]:
        """Let the requester finish first, see the follower level, stop everything, and judge."""
        mesh = self._mesh
        mesh.stop("strategy")
        self._await("the follower is level", lambda: mesh.told() == mesh.recorded())
        stopped = mesh.run("down")
        assert stopped.code == 0, stopped.everything
        history = mesh.history()
        counts = {instance: len(lines) for instance, lines in history.lines.items()}
        self._say(f"judged: {len(history.journal)} decisions, lines {counts}")
        return judged(history)


def _pause(milliseconds: int) -> None:
    select.poll().poll(milliseconds)
