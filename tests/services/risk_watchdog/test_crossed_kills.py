"""Kills that cross: whoever presses where and when, one latch stands in the end, everywhere, and one clear ends it."""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from proto.control import AskClearKill, ClearKillOffered, ConfirmClearKill, ControlDone, Kill, LiftKill
from proto.risk import Latch
from shared.core.presses import latch_of
from shared.core.service import Answered, Ask, HaltSeen, Report
from shared.execution.flattens import Flattens
from shared.execution.latching import Latching
from tests.services.risk_watchdog.bench import Bench
from tests.services.risk_watchdog.surroundings import Scene

if TYPE_CHECKING:
    from proto.envelope import Body

WAYS: Final = ("risk", "executor", "flattener", "touch")
STEPS: Final = ("lease asked", "lease heard", "reports heard", "executor looks", "risk looks", "tick")


class Executor:
    """The executor's own latch, over a journal that risk reads a little later."""

    def __init__(self, scene: Scene) -> None:
        self._scene: Final = scene
        self._bench: Final = scene.bench
        self._flattens: Final = Flattens()
        self._latching: Final = Latching(self._flattens)
        self._on_its_way: Final[deque[Body]] = deque()
        self._leases: Final[deque[Latch | None]] = deque()
        self._lifts = 0

    @property
    def latch(self) -> Latch | None:
        """What stands in its journal."""
        return self._flattens.latch

    def killed(self, kill: Kill) -> None:
        """Hear an operator."""
        reports, _ = self._latching.killed(kill, self._bench.now)
        self._write(reports)

    def looks(self) -> None:
        """Look at the HALT file, and make it where it is missing."""
        self._latching.file_told(HaltSeen(self._bench.halt), self._bench.now)
        self._write(self._latching.due())
        for make in self._latching.missing_file(self._bench.now):
            self._bench.halt = make.latch

    def asks_lease(self) -> None:
        """Ask for the lease; the answer is under way."""
        self._leases.append(self._bench.lease().latch)

    def hears_lease(self) -> None:
        """Hear the oldest answer that is under way."""
        told = self._leases.popleft() if self._leases else None
        if told is not None:
            self._latching.told(told)
            self._write(self._latching.due())

    def is_heard(self) -> None:
        """Let risk hear the reports that it has not heard."""
        while self._on_its_way:
            self._scene.executor.tells(self._on_its_way.popleft())

    def lifts(self) -> None:
        """Answer risk that wants the latch lifted."""
        asks = [ask for ask in self._bench.of(Ask) if isinstance(ask.body, LiftKill)]
        for ask in asks[self._lifts :]:
            assert isinstance(ask.body, LiftKill)
            reports, answer = self._latching.lift(ask.body, "risk")
            self._write(reports)
            self._bench.handle(Answered(ask.ask_id, self._bench.envelope(answer, sender="executor")))
        self._lifts = len(asks)

    def settles(self) -> None:
        """Do all of it until nobody has anything new to say."""
        for _ in range(12):
            self.asks_lease()
            while self._leases:
                self.hears_lease()
            self.looks()
            self._bench.touch(self._bench.halt)
            self.is_heard()
            self._scene.pass_time(1)
            self.lifts()

    def _write(self, reports: Sequence[Report]) -> None:
        for report in reports:
            envelope = self._bench.envelope(report.body, sender="executor", cause=report.cause_id)
            self._flattens.fold(envelope)
            self._latching.recorded(envelope.body)
            self._on_its_way.append(report.body)


class Mesh:
    """Risk and the executor's latch, with the HALT file between them."""

    def __init__(self) -> None:
        self.scene: Final = Scene(Bench())
        self.scene.begin()
        self.scene.pass_time(1)
        self.bench: Final = self.scene.bench
        self.executor: Final = Executor(self.scene)
        self._presses = 0

    def press(self, way: str) -> None:
        """Press it, each time with another name and reason."""
        self._presses += 1
        self.bench.wait(0.001)
        kill = Kill(f"operator {self._presses}", f"reason {self._presses}")
        match way:
            case "risk":
                self.bench.ask(kill, instance="operator", ask_id=f"kill-{self._presses}")
            case "executor":
                self.executor.killed(kill)
            case "flattener":
                self.bench.halt = latch_of(kill, self.bench.now.wall_ns)
            case _:
                self.bench.halt = Latch(f"halt-{self._presses}", "unknown", "the file was made by hand", 1)

    def step(self, step: str) -> None:
        """Let one of them do one thing."""
        match step:
            case "lease asked":
                self.executor.asks_lease()
            case "lease heard":
                self.executor.hears_lease()
            case "reports heard":
                self.executor.is_heard()
            case "executor looks":
                self.executor.looks()
            case "risk looks":
                self.bench.touch(self.bench.halt)
            case _:
                self.bench.tick()

    def names(self) -> set[str | None]:
        """Return under which names it stands: at risk, at the executor, as a file."""
        standing = self.bench.lease().latch
        return {None if one is None else one.latch_id for one in (standing, self.executor.latch, self.bench.halt)}

    def clear(self, latch_id: str) -> None:
        """Take both steps, and let it be done."""
        offer = self.bench.ask(AskClearKill("ada", "it is over", latch_id), instance="operator")
        assert isinstance(offer, ClearKillOffered), offer
        confirmed = ConfirmClearKill("ada", latch_id, offer.offer_id)
        done = self.bench.ask(confirmed, instance="operator")
        assert isinstance(done, ControlDone), done
        self.executor.settles()


@settings(max_examples=60)
@given(st.sampled_from(WAYS), st.lists(st.sampled_from(WAYS + STEPS), max_size=20))
@example("risk", ["executor", "lease asked", "reports heard", "tick", "lease heard"])
def test_one_latch_stands_and_one_clear_ends_it(first: str, then: list[str]) -> None:
    """However presses, looks, leases and reports cross: one name everywhere, and a kill behind the clear latches."""
    mesh = Mesh()
    for step in (first, *then):
        if step in WAYS:
            mesh.press(step)
        else:
            mesh.step(step)
    for way in ("executor", "risk", "flattener"):
        mesh.executor.settles()
        (latch_id,) = mesh.names()
        assert latch_id is not None
        mesh.clear(latch_id)
        assert mesh.names() == {None}
        mesh.press(way)


def test_newest_press_keeps_its_name() -> None:
    """The executor that has not heard of it yet has an older name: that one is no reason to go back to it."""
    mesh = Mesh()
    mesh.press("executor")
    mesh.executor.settles()
    mesh.press("risk")
    standing = mesh.bench.lease().latch
    assert standing is not None
    mesh.scene.pass_time(1)
    assert mesh.bench.lease().latch == standing
    mesh.executor.settles()
    assert mesh.names() == {standing.latch_id}


def test_cleared_name_does_not_come_back_by_crossing() -> None:
    """The executor that has a cleared name in the place of a new one has nothing that risk would follow."""
    mesh = Mesh()
    mesh.press("touch")
    mesh.bench.touch(mesh.bench.halt)
    mesh.bench.tick()
    assert mesh.bench.halt is not None
    offer = mesh.bench.ask(AskClearKill("ada", "it is over", mesh.bench.halt.latch_id), instance="operator")
    assert isinstance(offer, ClearKillOffered)
    mesh.bench.ask(ConfirmClearKill("ada", offer.latch_id, offer.offer_id), instance="operator")
    mesh.press("risk")
    standing = mesh.bench.lease().latch
    mesh.executor.asks_lease()
    mesh.executor.hears_lease()
    mesh.bench.halt = Latch(offer.latch_id, "unknown", "the file was made by hand", 1)  # as before it was renamed
    mesh.executor.looks()
    mesh.executor.settles()
    assert standing is not None
    assert mesh.bench.lease().latch == standing
    mesh.clear(standing.latch_id)
    assert mesh.names() == {None}
