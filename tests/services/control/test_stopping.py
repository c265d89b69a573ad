"""`bowline kill`, `clear-kill`, `flatten` and `limits` where few or none of the processes live."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from proto.orders import FlatnessTold, FlattenBegun, FlattenCalledOff
from proto.risk import Latch
from services.control import flatten, kill, limits
from services.control.flatness import FlatnessWatch
from shared.mesh.clock import SystemClock
from shared.mesh.halt_file import HaltFile
from shared.mesh.verb import Streams
from tests.house.tree import CHECKOUT
from tests.services.control.journals import JournalOf
from tests.services.control.verbs import Verb, cleared_by, ran
from tests.services.risk_watchdog.risk_project import RiskProject
from tests.shared.mesh.no_room import files_may_not_grow

LATCH = Latch("kill-1", "ada", "too wild", 1)
SILENT = "does not answer: `bowline status` says how it is"


@pytest.fixture
def project() -> Iterator[RiskProject]:
    """Return a project; its processes end with the test."""
    with RiskProject() as project:
        yield project


def nobody_can_be_asked(project: RiskProject) -> None:
    """Take the keys away, so that nobody is waited for."""
    for file in (project.root / "var/keys").iterdir():
        file.unlink()
    (project.root / "var/keys").rmdir()


def watched(project: RiskProject, latch: Latch) -> tuple[bool, list[str], str]:
    """Look once whether it is flat under this latch, and return what was said and complained about as well."""
    output, errors = io.StringIO(), io.StringIO()
    with FlatnessWatch(project.root / "var", Streams(output, errors), SystemClock()) as watch:
        is_flat = watch.is_latch_flat(latch, 0)
    return is_flat, output.getvalue().splitlines(), errors.getvalue()


def latch_id_of(project: RiskProject) -> str:
    """Return the latch that stands in the file."""
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    return latch.latch_id


def test_a_kill_needs_nobody(project: RiskProject) -> None:
    """With everything dead the file is made, says who and why, and all not there are named; anew it is a new one."""
    code, output, errors = ran(kill.run, project.root, "  too \n wild ", "--actor", "ada", "--wait", "0")
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    assert (latch.actor, latch.reason) == ("ada", "too wild")
    assert (code, output) == (
        1,
        f"HALTED: {project.root}/var/HALT is there, for the kill latch {latch.latch_id}\n",
    )
    assert [line for line in errors.splitlines() if SILENT in line] == [
        f"{name} {SILENT}; the HALT file counts all the same" for name in ("risk", "executor", "flattener")
    ]
    assert "nobody has said yet that it is flat" in errors
    code, output, _ = ran(kill.run, project.root, "again", "--no-wait")
    assert latch_id_of(project) != latch.latch_id
    halted, stood = output.splitlines()
    assert (code, halted) == (0, f"HALTED: {project.root}/var/HALT is there, for the kill latch {latch_id_of(project)}")
    assert stood.startswith("one stood already, for ")
    assert stood.endswith(f"{latch.latch_id}, by ada: too wild")


def test_a_file_made_by_hand_counts(project: RiskProject) -> None:
    """`touch var/HALT` is a kill; the verb finds it standing, and makes it anew."""
    nobody_can_be_asked(project)
    (project.root / "var/HALT").touch()
    assert (
        "by unknown: the file was made by hand, or on a full disk" in ran(kill.run, project.root, "x", "--no-wait")[1]
    )


def test_without_keys_the_file_is_made_all_the_same(project: RiskProject) -> None:
    """Who cannot be told finds the file."""
    nobody_can_be_asked(project)
    code, output, errors = ran(kill.run, project.root, "x", "--wait", "0")
    assert (code, output.startswith("HALTED: ")) == (1, True)
    assert "nobody can be told: there are no keys in " in errors


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "no reason given"),
        (["", " \n"], "no reason given"),
        (["too", "--no-wait", "wild"], "too wild"),
        (["\x1b[31mtoo\a\t wild\udcff\x00"], "[31mtoo wild"),
        (["x" * 501], "x" * 499 + "…"),
        (["\N{COLLISION SYMBOL}" * 500], "\N{COLLISION SYMBOL}" * 500),
    ],
)
def test_no_reason_keeps_a_kill_from_being_one(project: RiskProject, words: list[str], reason: str) -> None:
    """Whatever was typed, or not, it latches; what can be read of it stands in the file."""
    nobody_can_be_asked(project)
    assert ran(kill.run, project.root, "--no-wait", *words)[0] == 0
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    assert (latch.latch_id[:5], latch.reason) == ("kill-", reason)


@pytest.mark.parametrize(
    "option",
    [("--wait", "soon"), ("--wait", "-1"), ("--wait", "nan"), ("--actor", ""), ("--actor", "a\a" * 99), ("--no-wait",)],
)
def test_no_value_of_an_option_keeps_a_kill_from_being_one(project: RiskProject, option: tuple[str, ...]) -> None:
    """How long to wait and who pressed do not matter to the latch; a wait that cannot be read is said, and is none."""
    nobody_can_be_asked(project)
    code, output, errors = ran(kill.run, project.root, "too", "--wait", "0", *option, "wild")
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    assert (code, latch.reason, bool(latch.actor)) == (0 if "--no-wait" in option else 1, "too wild", True)
    assert output.startswith("HALTED: ")
    assert (f"--wait {option[-1]}: write seconds" in errors) == (option[-1] in {"soon", "-1", "nan"})


def test_what_stands_behind_two_dashes_is_a_reason(project: RiskProject) -> None:
    """Whatever it looks like."""
    nobody_can_be_asked(project)
    code, output, _ = ran(kill.run, project.root, "--no-wait", "too", "--", "--nonsense", "--", "wild")
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    assert (code, latch.reason, output.startswith("HALTED: ")) == (0, "too --nonsense -- wild", True)


@pytest.mark.parametrize("words", [["--dry-run"], ["--wait"], ["too wild", "--actor"], ["--no-wait=1"]])
def test_what_is_no_kill_says_that_nothing_is_latched(
    project: RiskProject, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever types in a panic is not left to believe that it is done; whoever asks for help is not frightened."""
    output, errors = io.StringIO(), io.StringIO()
    for said in (words, ["--help"]):
        with pytest.raises(SystemExit) as ended:
            kill.run(["--root", str(project.root), *said], environment={}, streams=Streams(output, errors))
        assert ended.value.code == (0 if said == ["--help"] else 2)
    assert "usage: bowline kill" in capsys.readouterr().err
    assert errors.getvalue() == ("NOTHING IS LATCHED: this was not understood. `bowline kill` and no more is enough.\n")
    assert HaltFile(project.root / "var").latch() is None


@pytest.mark.parametrize("where", [">&-", ">&- 2>&-", ">/dev/full 2>/dev/full", "<&- >&- 2>&-", "| true"])
def test_a_kill_whose_words_cannot_be_written_is_one(project: RiskProject, where: str) -> None:
    """From a panic script or from cron: it latches first, and the code says that it did, and nothing of its words."""
    nobody_can_be_asked(project)
    command = f'set -o pipefail; "$0" -m services.cli kill --root "$1" --no-wait "too wild" {where}'
    ran = subprocess.run(
        ["bash", "-c", command, sys.executable, project.root], cwd=CHECKOUT, stderr=subprocess.PIPE, check=False
    )
    assert (ran.returncode, b"Traceback" in ran.stderr) == (0, False)
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    assert latch.reason == "too wild"


def test_a_kill_on_a_full_disk_says_what_the_file_cannot(project: RiskProject) -> None:
    """It latches; name and reason are not in it, and its latch is the one that is named."""
    nobody_can_be_asked(project)
    with files_may_not_grow():
        code, output, errors = ran(kill.run, project.root, "x", "--no-wait")
    file = project.root / "var/HALT"
    assert (code, output) == (0, f"HALTED: {file} is there, for the kill latch {latch_id_of(project)}\n")
    assert f"{file} latches, but your name and reason are not in it: File too large\n" in errors


def test_settings_that_hide_where_the_mesh_is(project: RiskProject) -> None:
    """The file is made in the default place; that it latches is said only if somebody has answered from there."""
    risk = project.start_risk()
    place = project.root / "var"
    for local in ("paths: {var_directory: elsewhere\n", "paths: {var_directry: elsewhere}\n"):
        project.set(local)
        assert ran(kill.run, project.root, "x", "--no-wait")[0] == 0
    risk.kill()
    risk.wait()
    for local in ("paths: {var_directory: elsewhere\n", "paths: {var_directry: elsewhere}\n"):
        project.set(local)
        code, output, errors = ran(kill.run, project.root, "x")
        pressed = f"PRESSED IN THE DEFAULT PLACE: {place}/HALT is there, for the kill latch {latch_id_of(project)}"
        assert (code, output.splitlines()[0]) == (3, pressed)
        assert "\nNOT KNOWN TO BE LATCHED: the settings cannot be read, and so " in errors
        assert f"; {place} is the default, and nobody has answered from there\n" in errors


@pytest.mark.parametrize("local", ["risk: {position_pct: no}\n", "paths: {var_directory: elsewhere\n"])
def test_settings_that_hide_nothing_of_where_the_mesh_is(project: RiskProject, local: str) -> None:
    """What is wrong elsewhere, or is told by a variable as well, leaves no doubt."""
    nobody_can_be_asked(project)
    project.set(local)
    environment = {"BOWLINE_PATHS__VAR_DIRECTORY": "var"} if "elsewhere" in local else {}
    streams = Streams(io.StringIO(), io.StringIO())
    words = ["--root", str(project.root), "x", "--no-wait"]
    assert kill.run(words, environment=environment, streams=streams) == 0
    assert latch_id_of(project)


def test_what_is_not_latched_is_said_loudly(project: RiskProject) -> None:
    """Where the file cannot be made and nobody answers, nothing is stopped: that has a code of its own."""
    project.set("paths: {var_directory: nowhere}\n")
    code, output, errors = ran(kill.run, project.root, "x")
    assert (code, output) == (3, "")
    assert "the HALT file cannot be made" in errors
    assert "NOT LATCHED" in errors


def told(latch_id: str, why: str, *, flat: bool) -> FlatnessTold:
    """Return what is told of a latch."""
    return FlatnessTold(latch_id, is_flat=flat, pass_number=4, reason=why)


@pytest.mark.parametrize("word", ["FLAT", "NOT FLAT"])
def test_what_is_told_of_the_latch_is_shown(project: RiskProject, word: str) -> None:
    """The newest word of whoever flattens counts, of this latch, and is looked for in both journals."""
    with JournalOf(project.root, "executor") as executor, JournalOf(project.root, "flattener") as flattener:
        executor.write(told("kill-0", "another's", flat=True), told(LATCH.latch_id, "old", flat=word != "FLAT"))
        flattener.write(told(LATCH.latch_id, "as it is", flat=word == "FLAT"))
        assert watched(project, LATCH) == (word == "FLAT", [f"{word}, says flattener: as it is"], "")


def test_flat_of_a_latch_that_came_later_counts(project: RiskProject) -> None:
    """It is closed under the newest name; what was begun before the press, or without a latch, is not it."""
    with JournalOf(project.root, "executor") as executor:
        executor.write(FlattenBegun("kill-0", None, "ada", "x"), told("kill-0", "", flat=True))
        after = executor.newest_wall_ns
        pressed = Latch("kill-1", "ada", "too wild", after + 1)
        assert not watched(project, pressed)[0]
        executor.write(
            FlattenBegun("kill-2", None, "ben", "y"),
            FlattenBegun("flatten-3", None, "ben", "y"),
            told("flatten-3", "", flat=True),
        )
        assert not watched(project, pressed)[0]
        executor.write(told("kill-2", "", flat=True))
        assert watched(project, pressed) == (True, ["FLAT, says executor"], "")


@pytest.mark.parametrize(
    ("symbol", "shown"), [("BTC/USDT", ["FLAT, says executor"]), (None, ["NOT FLAT, says executor: some"])]
)
def test_a_flattening_is_followed_by_what_it_closes(project: RiskProject, symbol: str | None, shown: list[str]) -> None:
    """What was begun last that closes the symbol counts: one of it alone, or of everything."""
    output = io.StringIO()
    with JournalOf(project.root, "executor") as executor:
        executor.write(
            FlattenBegun("flatten-1", None, "ada", "x"),
            FlattenBegun("flatten-2", "BTC/USDT", "ada", "x"),
            FlattenBegun("flatten-3", "ETH/USDT", "ada", "x"),
            told("flatten-1", "some", flat=False),
            told("flatten-2", "", flat=True),
        )
        with FlatnessWatch(project.root / "var", Streams(output, io.StringIO()), SystemClock()) as watch:
            assert watch.is_flat(symbol, 0) == (symbol is not None)
    assert output.getvalue().splitlines() == shown


def test_a_flattening_that_was_called_off_is_waited_for_no_longer(project: RiskProject) -> None:
    """Who did it, and why, is said."""
    streams = Streams(io.StringIO(), io.StringIO())
    with JournalOf(project.root, "executor") as executor:
        executor.write(
            FlattenBegun("flatten-1", "BTC/USDT", "ada", "x"), FlattenCalledOff("flatten-1", "ben", "to be kept")
        )
        with FlatnessWatch(project.root / "var", streams, SystemClock()) as watch:
            assert not watch.is_flat("BTC/USDT", 60)
    assert isinstance(streams.errors, io.StringIO)
    assert streams.errors.getvalue() == "ben has called it off: to be kept\n"


def test_a_journal_that_cannot_be_read_hides_nothing_else(project: RiskProject) -> None:
    """One damaged journal is said to be that; what the other one says is shown."""
    with JournalOf(project.root, "executor") as executor, JournalOf(project.root, "flattener") as flattener:
        executor.write(told(LATCH.latch_id, "unreadable", flat=True))
        flattener.write(told(LATCH.latch_id, "read back", flat=True))
        executor.damage()
        is_flat, output, errors = watched(project, LATCH)
    assert (is_flat, output) == (True, ["FLAT, says flattener: read back"])
    assert "executor's journal cannot be read, so what it says is not seen: " in errors


def test_a_flattening_asks_the_flattener_only_where_the_executor_is_silent(project: RiskProject) -> None:
    """Both dead, both are named; nothing is done."""
    assert ran(flatten.run, project.root, "btc/usdt", "news") == (1, "", f"executor {SILENT}\nflattener {SILENT}\n")


@pytest.mark.parametrize(
    "word", ["BTC/USDT", "btc-usdt", "BtcUsdt", "btc", "btc usdt", "BTC_USDT:", "BTC/USDT too wild"]
)
def test_a_symbol_alone_does_not_sell_everything(
    project: RiskProject, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """However it is spelled: it is asked what was meant."""
    with pytest.raises(SystemExit) as refused:
        ran(flatten.run, project.root, word)
    assert refused.value.code == 2
    assert 'did you mean `bowline flatten BTC/USDT "why"`? To flatten everything, ' in capsys.readouterr().err


def test_what_looks_like_a_symbol_that_is_not_traded_is_no_reason(project: RiskProject) -> None:
    """One that was traded before, or with a settings file that cannot be read: it sells nothing either."""
    for words in (["sol/usdt"], ["SOLUSDT"], ["sol/usdt is wild"], ["SOL"], ["DOGE please"], ["SOL:"], ["SOL/BTC now"]):
        with pytest.raises(SystemExit, match="2"):
            ran(flatten.run, project.root, *words)
    for reason in ("to hold usdt", "btc is falling", "weekend", "A crash"):
        assert ran(flatten.run, project.root, reason)[2] == f"executor {SILENT}\nflattener {SILENT}\n"


def test_one_symbol_is_flattened_at_a_time(project: RiskProject, capsys: pytest.CaptureFixture[str]) -> None:
    """A second one is no reason for the first; a reason may name one."""
    with pytest.raises(SystemExit, match="2"):
        ran(flatten.run, project.root, "BTC/USDT", "ETH/USDT")
    assert "To flatten BTC/USDT alone, give a reason in other words" in capsys.readouterr().err
    assert ran(flatten.run, project.root, "BTC/USDT", "BTC falls")[2] == f"executor {SILENT}\nflattener {SILENT}\n"


def test_limits_are_shown_as_risk_knows_them(project: RiskProject) -> None:
    """A table for people, and JSON for programs; without risk there is nothing to show."""
    assert ran(limits.run, project.root) == (1, "", f"bowline limits: risk {SILENT}\n")
    project.start_risk()
    code, output, _ = ran(limits.run, project.root)
    head, *lines = output.splitlines()
    assert (code, head.split()) == (0, ["LIMIT", "OF", "USED", "MOST", "UNIT", "SHARE"])
    assert any(line.startswith("positions_open_within_limit  everything  0") for line in lines)
    rows = [json.loads(line) for line in ran(limits.run, project.root, "--json")[1].splitlines()]
    assert [row["limit"] for row in rows] == [line.split()[0] for line in lines[:-1]]
    assert {row["share"] for row in rows if row["limit"] == "positions_open_within_limit"} == {"0.0000"}
    assert all(Decimal(row["share"]) <= 1 for row in rows if row["share"] is not None)
    unknown = "the executor has not read the account twice yet"
    assert [(row["used"], row["unknown"]) for row in rows if row["limit"] == "drawdown_kill"] == [("unknown", unknown)]
    assert lines[-1] == f"unknown: {unknown}"


def test_clearing_needs_risk_and_a_latch(project: RiskProject) -> None:
    """Without risk nothing is cleared, with or without a file; and where risk knows of no latch, nothing is to do."""
    alone = ran(cleared_by("yes"), project.root, "all quiet")
    assert alone[:2] == (1, "")
    assert f"there is no HALT file, and risk {SILENT}; without it nothing can be cleared" in alone[2]
    code, output, errors = ran(cleared_by(None), project.root, "all quiet", "--json", "--yes", "kill-123")
    assert (code, json.loads(output)["latch_id"], errors) == (1, "kill-123", "")
    assert f"risk {SILENT}" in json.loads(output)["said"]
    project.start_risk()
    assert ran(cleared_by("yes"), project.root, "all quiet") == (
        0,
        "no kill latch stands, so there is nothing to clear\n",
        "",
    )
    named = ran(cleared_by(None), project.root, "none", "--yes", "kill-123")
    assert named == (0, "no kill latch stands, so there is nothing to clear\n", "")
    assert json.loads(ran(cleared_by(None), project.root, "all quiet", "--json")[1]) == {
        "latch_id": None,
        "offer": None,
        "cleared": False,
        "file_gone": None,
        "said": "no kill latch stands, so there is nothing to clear",
    }


def test_with_risk_dead_the_file_stays(project: RiskProject) -> None:
    """A latch is cleared by risk and by nobody else."""
    HaltFile(project.root / "var").make(LATCH)
    code, output, errors = ran(cleared_by("yes"), project.root, "all quiet")
    assert (code, output) == (1, "")
    assert f"risk {SILENT}; a latch is cleared by risk and by nobody else, so nothing was cleared" in errors
    assert latch_id_of(project)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        (kill.run, ["why", "--dry-run"]),
        *((flatten.run, [word]) for word in ("", " ", "x" * 501, "\udcff", "why\a")),
        (flatten.run, []),
        (flatten.run, ["BTC/USDT", "why", "more"]),
        (cleared_by("yes"), []),
        (cleared_by("yes"), ["why", "--yes", ""]),
        (cleared_by("yes"), ["why", "--yes", "k" * 97]),
        (limits.run, ["why"]),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(tmp_path: Path, verb: Verb, words: list[str]) -> None:
    """No reason, one that nobody can read, a symbol in its place: nothing is done, and above all nothing latched."""
    streams = Streams(io.StringIO(), io.StringIO())
    with pytest.raises(SystemExit) as refused:
        verb(["--root", str(tmp_path), *words], environment={}, streams=streams)
    assert refused.value.code == 2
    assert list(tmp_path.iterdir()) == []
