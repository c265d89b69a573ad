"""A kill and its end, told to risk and the executor as real processes."""

import json
from collections.abc import Iterator

import pytest

from proto.orders import ConditionCleared, ConditionSet, FlattenBegun
from proto.verdicts import KillCleared, KillLatched
from services.control import flatten, kill
from services.control.asking import actor
from services.supervision import status
from shared.mesh.halt_file import HaltFile
from tests.services.control.test_entries import Project
from tests.services.control.verbs import cleared_by, ran
from tests.services.sim_exchange.exchange_process import PATIENCE_S
from tests.services.supervision.harness import eventually


@pytest.fixture
def project() -> Iterator[Project]:
    """Return a project; its processes end with the test."""
    with Project() as project:
        yield project


def latch_id_of(project: Project) -> str:
    """Return the latch that stands in the file."""
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    return latch.latch_id


def test_a_kill_is_told_and_cleared_in_two_steps(project: Project) -> None:
    """Who and why stand in risk's journal for both; nothing is cleared but by `yes`, or by the name of this latch."""
    project.start_risk()
    project.start_executor()
    code, output, errors = ran(kill.run, project.root, "too\a ", "\twild", "--actor", "ada", "--no-wait")
    latch_id = latch_id_of(project)
    made, risk, executor = output.splitlines()
    assert (code, made) == (0, f"HALTED: {project.root}/var/HALT is there, for the kill latch {latch_id}")
    assert risk == f"risk: {latch_id} stands: nothing is entered, and everything is closed until nothing is left"
    assert executor == f"executor: no entries, and everything is closed: the kill latch {latch_id} stands"
    assert errors.startswith("flattener does not answer: ")

    for verb, why in (
        (cleared_by("no"), "it was not answered with yes, so nothing was cleared"),
        (cleared_by(None), f"nobody is there to ask: repeat it with --yes {latch_id}"),
    ):
        code, output, errors = ran(verb, project.root, "all quiet")
        assert (code, errors) == (1, f"bowline clear-kill: {why}\n")
        assert output.startswith(f"{latch_id}: ")
    another = ran(cleared_by(None), project.root, "all quiet", "--yes", "kill-0")
    assert (another[0], another[1]) == (1, "")
    assert latch_id in another[2]
    program = ran(cleared_by("yes"), project.root, "all quiet", "--actor", "executor")
    assert (program[0], "is a program" in program[2]) == (1, True)
    assert latch_id_of(project) == latch_id

    code, output, _ = ran(cleared_by(None), project.root, "all  quiet", "--yes", latch_id, "--json")
    told = json.loads(output)
    assert (code, told["latch_id"], told["cleared"], told["file_gone"]) == (0, latch_id, True, True)
    acts = [one.body for one in project.records() if isinstance(one.body, KillLatched | KillCleared)]
    assert [type(act) for act in acts] == [KillLatched, KillCleared]
    assert isinstance(acts[0], KillLatched)
    assert (acts[0].latch.latch_id, acts[0].latch.reason) == (latch_id, "too wild")
    begun = [one.body for one in project.records("executor") if isinstance(one.body, FlattenBegun)]
    assert begun == [FlattenBegun(latch_id, None, "ada", "too wild")]
    assert acts[1] == KillCleared(latch_id, actor(), "all quiet")
    lifted = [one.body for one in project.records("executor") if isinstance(one.body, ConditionSet | ConditionCleared)]
    assert [type(one) for one in lifted][-2:] == [ConditionSet, ConditionCleared]
    assert ran(cleared_by("yes"), project.root, "again")[1] == "no kill latch stands, so there is nothing to clear\n"

    code, output, errors = ran(flatten.run, project.root, "btc", "too wild")
    assert (code, output) == (1, "executor: nothing is done, BTC is not traded here, and nothing is held of it\n")
    assert errors == 'did you mean `bowline flatten BTC/USDT "why"`?\n'


def test_without_the_executor_it_is_cleared_and_holds_until_that_has_lifted_it(project: Project) -> None:
    """The code says so; when the executor is there again the file goes, whoever waited for it."""
    project.start_risk()
    (project.root / "var/HALT").touch()
    eventually(lambda: [one for one in project.records() if isinstance(one.body, KillLatched)])
    code, output, errors = ran(cleared_by("yes"), project.root, "all quiet", "--wait", "0.3")
    latch_id = latch_id_of(project)
    assert (code, output.splitlines()[-1].startswith(f"{latch_id} is cleared; ")) == (3, True)
    assert errors == f"{project.root}/var/HALT is still there, so it still holds: `bowline status`\n"
    (project.root / "var/HALT").unlink()
    (project.root / "var/HALT").mkdir()
    executor = project.start_executor()
    code, output, errors = ran(cleared_by("yes"), project.root, "all quiet", "--wait", "0.3")
    assert code == 3
    assert errors == (
        f"{project.root}/var/HALT is a directory, which no program removes: look what is in it, then `rmdir` it\n"
    )
    (project.root / "var/HALT/in it").touch()  # and so it is another latch
    latch_id = latch_id_of(project)
    eventually(
        lambda: latch_id in {one.body.latch.latch_id for one in project.records() if isinstance(one.body, KillLatched)}
    )
    for _ in range(2):  # cleared already, the second time
        code, _, errors = ran(cleared_by(None), project.root, "all quiet", "--yes", latch_id, "--wait", "0.3")
        assert (code, "HALT is a directory, which no program removes" in errors) == (3, True), errors
    assert f"{project.root}/var/HALT is a directory, which no program removes: " in ran(status.run, project.root)[1]
    assert not (project.root / "var/HALT.clearing").exists()
    (project.root / "var/HALT/in it").unlink()
    (project.root / "var/HALT").rmdir()
    assert ran(cleared_by("yes"), project.root, "all quiet", "--wait", "0.3")[0] == 0
    eventually(lambda: HaltFile(project.root / "var").latch() is None)
    executor.terminate()
    assert executor.wait(PATIENCE_S) == 0


def test_a_flattening_is_asked_of_the_executor(project: Project) -> None:
    """It takes it once: what would be closed anyway is under way, whatever symbol is named."""
    project.start_executor()
    code, output, _ = ran(flatten.run, project.root, "the weekend", "--wait", "0")
    assert (code, output.startswith("executor: everything is closed until nothing is left: flatten-")) == (1, True)
    again = ran(flatten.run, project.root, "btc/usdt", "the weekend", "--wait", "0")
    assert again[:2] == (1, f"executor: it is under way: {output.split()[-1]}\n")


def test_a_kill_while_the_cleared_file_waits_for_its_removal_is_not_lost(project: Project) -> None:
    """Nobody lives when it is pressed: risk's next life, which would remove the old file, latches by the new one."""
    risk = project.start_risk()
    (project.root / "var/HALT").touch()
    eventually(lambda: [one for one in project.records() if isinstance(one.body, KillLatched)])
    ran(cleared_by("yes"), project.root, "all quiet", "--wait", "0")
    first = latch_id_of(project)
    risk.kill()
    risk.wait()
    ran(kill.run, project.root, "and yet", "--actor", "ada", "--no-wait")
    second = latch_id_of(project)
    project.start_risk()
    project.start_executor()
    eventually(lambda: len([one for one in project.records() if isinstance(one.body, KillLatched)]) > 1)
    acts = [one.body for one in project.records() if isinstance(one.body, KillLatched | KillCleared)]
    assert [type(act) for act in acts] == [KillLatched, KillCleared, KillLatched]
    assert isinstance(acts[2], KillLatched)
    assert (acts[2].latch.latch_id, second != first) == (second, True)
    code, output, _ = ran(cleared_by("no"), project.root, "all quiet")
    assert (code, latch_id_of(project)) == (1, second)
    assert output.startswith(f"{second}: ")
