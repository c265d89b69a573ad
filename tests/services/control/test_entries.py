"""`bowline pause` and `bowline resume` against risk and the executor as real processes."""

import io
import signal
import subprocess
from collections.abc import Iterator

import pytest

from proto.orders import ConditionCleared, ConditionSet
from proto.verdicts import EntriesPaused, EntriesResumed
from services.control.asking import actor
from services.control.entries import PAUSE, RESUME, Verb, run
from shared.mesh.verb import Streams
from tests.services.risk_watchdog.risk_project import RiskProject
from tests.services.sim_exchange.exchange_process import PATIENCE_S
from tests.services.supervision.harness import eventually


class Project(RiskProject):
    """A project with risk and the executor, and nobody else."""

    def start_executor(self) -> subprocess.Popen[str]:
        """Start the executor, which has no exchange to speak to."""
        return self._started("services.executor", "--root", str(self.root))

    def bowline(self, verb: Verb, *words: str) -> tuple[int, str, str]:
        """Run a verb, and return its code, what it wrote, and what it complained about."""
        output, errors = io.StringIO(), io.StringIO()
        code = run(verb, ["--root", str(self.root), *words], environment={}, streams=Streams(output, errors))
        return code, output.getvalue(), errors.getvalue()


@pytest.fixture
def project() -> Iterator[Project]:
    """Return a project; its processes end with the test."""
    with Project() as project:
        yield project


def test_a_pause_is_written_down_and_lifted(project: Project) -> None:
    """Risk writes both down with who and why; what the executor has of its own is lifted with it."""
    project.start_risk()
    executor = project.start_executor()
    paused = project.bowline(PAUSE, "news", "--actor", "ada")
    assert paused == (0, "risk: no new entries in everything until they are resumed; exits and covers go on\n", "")
    lifted = project.bowline(RESUME, "  all \n quiet ")
    risk, executor_has = "the pause of everything is lifted, and nothing else", "nothing of that scope is waiting"
    assert lifted == (0, f"risk: {risk}\nexecutor: nothing is done, {executor_has}\n", "")
    acts = [one.body for one in project.records() if isinstance(one.body, EntriesPaused | EntriesResumed)]
    assert [(act.actor, act.reason) for act in acts] == [("ada", "news"), (actor(), "all quiet")]
    code, output, _ = project.bowline(RESUME, "again")
    assert (code, output.splitlines()[0]) == (
        1,
        "risk: nothing is done, there is no pause to lift",
    )
    executor.terminate()
    assert executor.wait(PATIENCE_S) == 0


def test_a_pause_has_a_scope(project: Project) -> None:
    """One symbol, in any case of letters, or one strategy; what is not there cannot be paused by mistake."""
    project.start_risk()
    assert project.bowline(PAUSE, "news", "--symbol", "btc/usdt")[1].startswith(
        "risk: no new entries in BTC/USDT until"
    )
    code, output, _ = project.bowline(PAUSE, "odd", "--strategy", "trend")
    assert (code, output) == (1, "risk: nothing is done, there is no strategy trend here; there are none\n")
    code, output, _ = project.bowline(PAUSE, "news", "--symbol", "BTCUSDT")
    assert (code, output) == (1, "risk: nothing is done, BTCUSDT is not traded; traded are BTC/USDT, ETH/USDT\n")


def test_a_crash_loop_waits_for_somebody_to_look(project: Project) -> None:
    """An executor that died three times within a minute sends no entries until it is resumed, over restarts too."""
    for _ in range(3):
        executor = project.start_executor()
        executor.kill()
        executor.wait(PATIENCE_S)
    project.start_risk()
    executor = project.start_executor()
    eventually(lambda: [one for one in project.records("executor") if isinstance(one.body, ConditionSet)])
    executor.terminate()
    assert executor.wait(PATIENCE_S) == 0
    project.start_executor()
    code, output, _ = project.bowline(RESUME, "it was me")
    assert (code, output.splitlines()[1]) == (0, "executor: lifted: troubled_start")
    assert isinstance(project.records("executor")[-1].body, ConditionCleared)


def test_for_a_risk_that_hangs_the_executor_pauses(project: Project) -> None:
    """It says so, and holds entries until they are resumed, also once risk is back; a typing error pauses nothing."""
    risk = project.start_risk()
    project.start_executor()
    risk.send_signal(signal.SIGSTOP)
    done = "until they are resumed; exits and covers go on"
    assert project.bowline(PAUSE, "odd") == (0, f"executor, for risk: no new entries in everything {done}\n", "")
    paused = project.bowline(PAUSE, "news", "--symbol", "btc/usdt")
    assert paused == (0, f"executor, for risk: no new entries in BTC/USDT {done}\n", "")
    code, output, errors = project.bowline(PAUSE, "news", "--symbol", "BTCUSDT")
    assert (code, output) == (1, "")
    assert "executor: nothing is done, BTCUSDT is not traded; traded are BTC/USDT, ETH/USDT\n" in errors
    code, output, errors = project.bowline(PAUSE, "news", "--strategy", "trend")
    assert (code, output) == (1, "")
    assert "executor: nothing is done, the executor knows no strategies: pause a symbol, or everything\n" in errors
    risk.kill()
    risk.wait(PATIENCE_S)
    project.start_risk()
    code, output, _ = project.bowline(RESUME, "quiet")
    assert (code, output.splitlines()[1]) == (0, "executor: lifted: operator_pause, operator_pause")


def test_somebody_who_does_not_answer_is_named(project: Project) -> None:
    """Without risk and the executor nothing is paused, and without any mesh there is nobody to ask."""
    code, output, errors = project.bowline(PAUSE, "news")
    assert (code, output) == (1, "")
    assert errors == "risk does not answer: `bowline status` says how it is; then ask again\n"
    for file in (project.root / "var/keys").iterdir():
        file.unlink()
    (project.root / "var/keys").rmdir()
    assert "no mesh has run here: `bowline up`" in project.bowline(PAUSE, "news")[2]


@pytest.mark.parametrize(
    "words", [[], [" "], ["x" * 501], ["why", "--symbol", "a", "--strategy", "b"], ["why", "--actor", "a" * 49]]
)
def test_what_cannot_be_meant_is_wrong_usage(project: Project, words: list[str]) -> None:
    """No reason, too long a one, two scopes, a name too long."""
    with pytest.raises(SystemExit) as refused:
        project.bowline(PAUSE, *words)
    assert refused.value.code == 2
