"""`bowline watch` where nobody looks: lines, objects, one answer, and a reader who has gone."""

import io
import json
import re
import signal

import pytest
from typing_extensions import override

from services.watch.command import run
from shared.mesh.verb import Streams
from tests.services.watch.conftest import WatchedProject
from tests.services.watch.terminal import PATIENCE_S

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


def test_a_pipe_gets_a_line_for_each_symbol_again_and_again(project: WatchedProject) -> None:
    """The words stand as the heading says, the prices go up, and Ctrl-C ends it without a complaint."""
    project.start()
    process, output = project.piped("--every", "0.1")
    assert output.readline() == "time symbol feed bid ask spread_bps age_ms msgs_per_s state\n"
    lines = [output.readline() for _ in range(6)]
    assert [TIME.sub("", line) for line in lines] == [
        "BTC/USDT feed 10001 10003 0.0016 31 47.5 open\n",
        "SHIB/USDT feed 0.00001712 0.00001713 5.8394 640 3.2 open\n",
        "mesh all well\n",
        "BTC/USDT feed 10002 10004 0.0016 31 47.5 open\n",
        "SHIB/USDT feed 0.00001712 0.00001713 5.8394 640 3.2 open\n",
        "mesh all well\n",
    ]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, errors) == (0, "")


class Interrupting(io.StringIO):
    """Has Ctrl-C pressed at the first word that is written."""

    @override
    def write(self, text: str) -> int:
        if not self.getvalue():
            super().write("^C\n")
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 0, ""),
        (["--json"], 0, ""),
        (["--once"], 1, "bowline watch: interrupted; `bowline status` says how things are\n"),
    ],
)
def test_ctrl_c_on_the_way_is_no_trace(project: WatchedProject, arguments: list[str], code: int, words: str) -> None:
    """Before the first answer too it just ends; but to whom one answer was promised it is not said that all is well."""
    (project.root / "config/local.yaml").write_text("logs: {level: loud}\n")  # of which it complains first
    output, errors = io.StringIO(), Interrupting()
    argv = ["--root", str(project.root), *arguments]
    assert run(argv, environment={}, streams=Streams(output, errors)) == code
    assert (output.getvalue(), errors.getvalue()) == ("", f"^C\n{words}")


def test_a_reader_who_goes_ends_it(project: WatchedProject) -> None:
    """`bowline watch | head -1` ends by itself, with nothing on standard error."""
    project.start()
    process, output = project.piped("--json", "--every", "0.1")
    assert json.loads(output.readline())["well"] is True
    output.close()
    assert process.wait(PATIENCE_S) == 141
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


def test_json_goes_on_over_the_death_of_metrics(project: WatchedProject) -> None:
    """One object a line: how things are, then that nobody answers, then how things are again."""
    metrics = project.start()
    process, output = project.piped("--json", "--every", "0.1")
    assert json.loads(output.readline())["well"] is True
    project.kill(metrics)
    while (answer := json.loads(output.readline()))["well"]:
        pass
    assert answer["well"] is None
    assert answer["trouble"].startswith("metrics does not answer: `bowline up`")
    project.start()
    while not (answer := json.loads(output.readline()))["well"]:
        pass
    assert answer["symbols"][0]["bid_price"].startswith("2000"), "it is of the second epoch"
    process.terminate()
    process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize(("conduct", "code"), [("well", 0), ("troubled", 3)])
def test_once_has_the_exit_code_of_status(project: WatchedProject, conduct: str, code: int) -> None:
    """0 when all is well, 3 when something is not; the object says what, and holds everything."""
    project.start(conduct)
    ran = project.run("--once", "--json")
    answer = json.loads(ran.stdout)
    assert (ran.returncode, ran.stderr) == (code, "")
    assert answer["well"] is (code == 0)
    assert bool(answer["concerns"]) is (code == 3)
    assert answer["symbols"][1]["bid_price"] == "0.00001712"
    assert answer["processes"][0]["instance"] == "feed"
    assert answer["hops"][0]["latency"]["hop"] == "feed.market"


@pytest.mark.parametrize(
    ("conduct", "trouble"),
    [
        ("refusing", "metrics does not say how things are (it is a holiday): `bowline up`"),
        ("wrong", "metrics does not say how things are (it answered something else): `bowline up`"),
    ],
)
def test_an_answer_that_says_nothing_is_said_with_its_reason(
    project: WatchedProject, conduct: str, trouble: str
) -> None:
    """Whoever refuses, or answers another question, is quoted, and the code is 1."""
    project.start(conduct)
    ran = project.run("--once")
    assert ran.returncode == 1
    assert TIME.sub("", ran.stdout).startswith(f"mesh unknown: {trouble}")


def test_where_no_mesh_has_run_it_says_so_and_makes_nothing(project: WatchedProject) -> None:
    """Looking leaves no trace: neither keys nor a directory."""
    ran = project.run("--once")
    assert ran.returncode == 1
    assert "so no mesh has run here: `bowline up`" in ran.stdout
    assert not (project.root / "var").exists()


def test_missing_key_of_metrics_is_named_with_the_remedy(project: WatchedProject) -> None:
    """What `bowline keys` can mend is said with the command."""
    project.make_keys()
    for half in (project.root / "var/keys").glob("metrics*"):
        half.unlink()
    ran = project.run("--once")
    assert ran.returncode == 1
    assert "`bowline keys create metrics`" in ran.stdout


@pytest.mark.parametrize("words", ["0", "-1", "nan", "often", "1e9"])
def test_a_pace_nobody_means_is_refused(project: WatchedProject, words: str) -> None:
    """Seconds are within bounds, and the answer says which."""
    ran = project.run(f"--every={words}")
    assert ran.returncode == 2
    assert "write seconds, 0.1 to 3600" in ran.stderr
