"""The mesh that trades: real processes on loopback, started, killed, frozen and judged by a test.

Each service runs behind the program of `dying.py`, which is the service itself until a test names a place for it to die
at. What the processes say goes into files, so that nobody has to read it for them to go on.
"""

import io
import json
import re
import signal
import subprocess
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from services.verify import command as verify
from tests.services.asker import Asker
from tests.services.sim_exchange.admin import ExchangeAdmin
from tests.services.supervision.harness import eventually
from tests.trading.dying import DIES, HANGS
from tests.trading.project import TradingProject
from tests.trading.written import Written

ACCOUNT: Final = "demo"
RUNNING: Final = "running"
# The exchange and the feed first: without prices nobody approves anything.
INSTANCES: Final = ("exchange", "feed", "risk", "executor")
# Of a stop (I19) or an exit (I15); that none comes at all is said in other words.
LATE: Final = re.compile(r"(?:is bare|waits) for (\d+) ns")
LATE_NS_MAX: Final = 60_000_000_000
PATIENCE_S: Final = 90  # only a test that fails waits so long
# So much that an order of five percent is filled in several trades.
BROUGHT_IN_QUOTE: Final = "390000"
# Of a third death within a minute risk makes a crash loop, and lets entries wait: a new risk has seen none.
DEATHS_SEEN_MAX: Final = 2


class TradingMesh:
    """A project in which exchange, feed, risk and executor run. It ends, with all of its processes, as a context.

    With a line of `strategies.run` the market is lively, and a test may start the strategy as well.
    """

    def __init__(self, *, strategy: str = "") -> None:
        self.project: Final = TradingProject(strategy)
        self.root: Final = self.project.root
        self.admin: Final = ExchangeAdmin(self.root, self.project.admin_port)
        self.asker: Final = Asker(self.root)  # one for all, or two of its lives would have one name
        self.written: Final = Written(self.root / "var")
        self._processes: Final[dict[str, subprocess.Popen[bytes]]] = {}
        self._others: Final[list[subprocess.Popen[bytes]]] = []
        self._deaths_seen = 0

    def __enter__(self) -> Self:
        """Start everything."""
        self.start("exchange")
        self.admin.transfer(ACCOUNT, "USDT", BROUGHT_IN_QUOTE)
        for instance in INSTANCES[1:]:
            self.begin(instance)
        for instance in INSTANCES[1:]:
            self.said(instance, RUNNING)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End what still runs, what is frozen too, and remove the folder."""
        for process in (*self._processes.values(), *self._others):
            process.kill()
            process.wait()
        self.written.close()
        self.project.remove()

    def start(self, instance: str) -> None:
        """Start a process, and wait until it runs."""
        self.begin(instance)
        self.said(instance, RUNNING)

    def begin(self, instance: str) -> None:
        """Start a process, and do not wait for anything."""
        self.die_nowhere(instance)
        if (before := self._processes.get(instance)) is not None:
            before.wait(timeout=PATIENCE_S)
        self._processes[instance] = self.project.spawn(instance)

    def begin_second(self, instance: str) -> subprocess.Popen[bytes]:
        """Start another process of an instance that runs: the newest is meant from here on; return the one before."""
        before = self._processes[instance]
        self._others.append(before)
        self._processes[instance] = self.project.spawn(instance)
        return before

    def until(self, holds: Callable[[], object]) -> None:
        """Look until something holds; if it never does, show what the executor wrote down, and what all said."""
        try:
            eventually(holds)
        except AssertionError:
            records = "\n".join(f"{one.sequence} {one.body}" for one in self.written.records()[-30:])
            logs = "\n".join(map(self.project.log_of, self._processes))
            raise AssertionError(f"it never came to that\n{records}\n{logs}") from None

    def said(self, instance: str, event: str) -> None:
        """Wait until the newest process of an instance has said something."""
        eventually(lambda: event in self.project.events(instance) or self._processes[instance].poll() is not None)
        assert event in self.project.events(instance), self.project.log_of(instance)

    def has_said(self, instance: str, event: str) -> bool:
        """Tell whether the newest process of an instance has said something by now."""
        return event in self.project.events(instance)

    def process(self, instance: str) -> subprocess.Popen[bytes]:
        """Return the newest process of an instance."""
        return self._processes[instance]

    def die_at(self, instance: str, place: str) -> None:
        """Have a process kill itself as soon as it comes to a place; see `dying.py` for how it is written."""
        self._at(instance, f"{DIES} {place}")

    def hang_at(self, instance: str, place: str) -> None:
        """Have a process wait for ever as soon as it comes to a place, with its connections open."""
        self._at(instance, f"{HANGS} {place}")

    def die_nowhere(self, instance: str) -> None:
        """Let a process live."""
        self.project.place_file(instance).unlink(missing_ok=True)

    def died(self, instance: str) -> None:
        """Wait until a process has killed itself."""
        code = self._processes[instance].wait(timeout=PATIENCE_S)
        assert code == -signal.SIGKILL, f"{code}: {self.project.log_of(instance)}"
        self._deaths_seen += instance == "executor"

    def kill(self, instance: str) -> None:
        """End a process as kill -9 does."""
        self._processes[instance].send_signal(signal.SIGKILL)
        self.died(instance)

    def is_alive(self, instance: str) -> bool:
        """Tell whether the newest process of an instance runs."""
        return self._processes[instance].poll() is None

    def stop(self, instance: str) -> None:
        """End a process in order."""
        process = self._processes[instance]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_S) == 0, self.project.log_of(instance)

    def restart(self, instance: str) -> None:
        """Stop a process in order, and start it again."""
        self.stop(instance)
        self.start(instance)

    def heal(self) -> None:
        """Let the exchange behave, let go on what stands still, and start what is dead."""
        for instance, process in self._processes.items():
            self.die_nowhere(instance)
            if process.poll() is None:
                self.thaw(instance)
        self.revive()
        self.admin.end_faults()

    def revive(self) -> None:
        """Start what somebody has ended, again and again as a supervisor does; what ended by itself is a defect."""
        revived = [instance for instance in self._processes if not self.is_alive(instance)]

        def all_run() -> bool:
            for instance in revived:
                code = self._processes[instance].poll()
                assert code in {None, -signal.SIGKILL}, self.project.log_of(instance)
                if code is not None:
                    self.begin(instance)
            return all(self.has_said(instance, RUNNING) for instance in revived)

        self.until(all_run)

    def forget_deaths(self) -> None:
        """Let another risk begin, before this one calls it a crash loop that a test kills the executor so often."""
        if self._deaths_seen >= DEATHS_SEEN_MAX:
            self._deaths_seen = 0
            self.restart("risk")

    def freeze(self, instance: str) -> None:
        """Let a process stand still."""
        self._processes[instance].send_signal(signal.SIGSTOP)

    def thaw(self, instance: str) -> None:
        """Let it go on."""
        self._processes[instance].send_signal(signal.SIGCONT)

    def judge(self, *arguments: str) -> int:
        """Have the checker hold all that was written against what must always be true.

        Return how often a stop or an exit came late: on a busy machine seconds are no promise, and the simulation
        counts them. A minute is one, however much was done to the mesh.
        """
        output, errors = io.StringIO(), io.StringIO()
        words = ["--json", "--limits", *arguments, "--root", str(self.root)]
        verify.run(words, environment={}, output=output, errors=errors)
        verdict = json.loads(output.getvalue())
        broken = [found for found in verdict["violations"] if not is_a_little_late(found["what"])]
        assert not broken, f"{broken}{errors.getvalue()}\n{self.project.log_of('executor')}"
        return len(verdict["violations"])

    def _at(self, instance: str, words: str) -> None:
        file = self.project.place_file(instance)
        whole = file.with_suffix(".new")
        whole.write_text(words)
        whole.rename(file)  # whoever reads it meanwhile reads all of it, or nothing


def is_a_little_late(what: str) -> bool:
    """Tell whether the checker speaks of a stop or an exit that came late, and within a minute."""
    found = LATE.search(what)
    return found is not None and int(found[1]) <= LATE_NS_MAX
