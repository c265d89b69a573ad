"""A service, as a real process, that is short of descriptors, or told to end before it has begun."""

import json
import resource
import signal
from itertools import islice

import pytest

from proto.codec import EnvelopeCodec
from proto.control import ControlDone
from proto.orders import ReconcileFinished
from shared.core.service import Report
from shared.mesh.bus.requests import RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.exit_codes import IN_ORDER, UNUSABLE
from shared.mesh.service.diary import open_diary
from shared.mesh.service.shell import FOLD_RECORDS
from shared.mesh.service.start import DESCRIPTORS_MIN
from shared.mesh.settings import load_configuration
from tests.shared.mesh.service.running import PATIENCE_S, Project


def record(project: Project, count: int) -> None:
    """Write so many requests into the executor's journal, as an executor that answered them left it."""
    clock = SystemClock()
    configuration = load_configuration(root=project.root, environment={})
    diary = open_diary(configuration, "executor", codec=EnvelopeCodec(), wall_ns=clock.wall_ns(), empty_state=b"{}")
    sender = Sender(instance="executor", epoch=1, clock=clock)
    finished = ReconcileFinished(pass_number=1, clean=True, differences=(), trades_read=())
    numbers = iter(range(count))
    while group := [Report(finished, cause_id=f"request-{number}") for number in islice(numbers, FOLD_RECORDS)]:
        diary.record(group, sender)
    diary.close()


@pytest.mark.parametrize("descriptors_max", [12, 24, DESCRIPTORS_MIN - 1])
def test_too_few_descriptors_are_said_in_a_sentence(project: Project, descriptors_max: int) -> None:
    """Who may not open what a process needs ends at once with code 78, and says how many there have to be."""
    started = project.start(descriptors_max=descriptors_max)
    assert started.end() == UNUSABLE
    (said,) = started.lines
    assert said["event"] == "cannot start"
    assert f"only {descriptors_max} files may be open at once, {DESCRIPTORS_MIN} are needed" in said["reason"]


def test_as_many_descriptors_as_are_asked_for_are_enough(project: Project) -> None:
    """With the least that is taken, a service works."""
    running = project.start(descriptors_max=DESCRIPTORS_MIN)
    running.says("running")
    assert project.pause("request-1") == ControlDone(summary="number 1")
    assert running.stop() == IN_ORDER


def test_whoever_runs_out_of_descriptors_ends(project: Project) -> None:
    """With none left for a peer that connects, the process ends rather than spin, and its successor answers."""
    running = project.start()
    running.says("running")
    assert project.pause("request-1") == ControlDone(summary="number 1")
    resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (3, 3))  # what is open stays so
    with pytest.raises(RequestTimedOutError):
        project.pause_once("request-2")
    assert running.process.wait(PATIENCE_S) == -signal.SIGABRT
    assert running.process.stderr is not None
    assert "Too many open files" in running.process.stderr.read()
    project.start().says("running")
    assert project.pause("request-2") == ControlDone(summary="number 2")


def test_told_to_end_while_it_folds_a_service_ends_in_order(project: Project) -> None:
    """SIGTERM in the middle of a long past is obeyed before its end, and counts as no death; nothing is lost."""
    count = 20 * FOLD_RECORDS
    record(project, count)
    interrupted = project.start("executor", "interrupted")
    assert interrupted.end() == IN_ORDER
    assert "running" not in [line["event"] for line in interrupted.lines]
    epoch_file = (project.root / "var/seats/executor.epoch").read_text()
    assert json.loads(epoch_file.splitlines()[1])["running"] is False
    project.start().says("running")
    assert project.pause("one more") == ControlDone(summary=f"number {count + 1}")


def test_hung_up_on_it_goes_on(project: Project) -> None:
    """SIGHUP, which the kernel sends to a stopped process whose supervisord dies, ends nobody."""
    running = project.start()
    running.says("running")
    running.process.send_signal(signal.SIGHUP)
    assert project.pause("request-1") == ControlDone(summary="number 1")
    assert running.stop() == IN_ORDER
