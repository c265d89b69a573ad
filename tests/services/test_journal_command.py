"""`bowline journal show | verify | tail`, with everything it touches handed in, over real directories."""

import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from proto.codec import EnvelopeCodec
from services.journal_command import Surroundings, run
from shared.mesh.journal import Journal, Opening, RealDisk, create_journal, open_journal, resume_above
from tests.proto.examples import BODIES, an_envelope
from tests.services.test_cli import bowline
from tests.shared.mesh.journal.journals import DAY, NEXT_DAY, anything, commit
from tests.shared.mesh.settings.projects import a_project

CODEC = EnvelopeCodec()
FRAMES = [CODEC.encode(an_envelope(body)) for body in BODIES]
NOBODY = 65534  # root may read everything, so it steps down for a moment
COUNT = len(FRAMES)
FIRST = f"00000001-{DAY}.journal"
SECOND = f"00000002-{NEXT_DAY}.journal"


class Stopped(Exception):  # noqa: N818 -- how a test ends `--follow`
    """Enough was followed."""


def stop() -> None:
    """End following at the first pause."""
    raise Stopped


def journal(*arguments: object, pause: Callable[[], object] = stop) -> tuple[int, str, str]:
    """Run the verb; return exit code, output and errors."""
    output, errors = io.StringIO(), io.StringIO()
    code = run([str(argument) for argument in arguments], Surroundings({}, output, errors, pause))
    return code, output.getvalue(), errors.getvalue()


def written(directory: Path) -> Journal:
    """Return a journal with one message of every kind, in two segments, the last two in the second."""
    opening = Opening(disk=RealDisk(directory), prove=anything, reserve_bytes=0)
    made = create_journal(opening, date=DAY, state=b"")
    commit(made, FRAMES[:-2])
    made.begin_segment(date=NEXT_DAY, state=b"state")
    commit(made, FRAMES[-2:])
    return made


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with that journal, closed."""
    place = tmp_path / "executor"
    written(place).close()
    return place


def flip(file: Path, text: bytes) -> None:
    """Flip a bit where that text stands."""
    content = bytearray(file.read_bytes())
    content[content.index(text)] ^= 1
    file.write_bytes(content)


def test_show_prints_a_line_for_each_record(directory: Path) -> None:
    """Each record is a line: number, time in UTC, sender, kind and version, id and cause."""
    code, output, errors = journal("show", directory)
    lines = output.splitlines()
    assert (code, errors, len(lines)) == (0, "", COUNT)
    for number, (line, body) in enumerate(zip(lines, BODIES, strict=True), start=1):
        envelope = an_envelope(body)
        words = line.split()
        assert words[0] == str(number)
        assert words[1] == "2026-09-21"
        assert words[3:6] == [envelope.sender, str(body.__struct_config__.tag), envelope.id]
        assert words[-1] == envelope.cause_id


def test_show_in_json(directory: Path) -> None:
    """With --json each line is an object with number, digest, kind and the whole message by field names."""
    code, output, _ = journal("show", "--json", directory)
    rows = [json.loads(line) for line in output.splitlines()]
    assert (code, len(rows)) == (0, COUNT)
    assert [row["sequence"] for row in rows] == list(range(1, COUNT + 1))
    mark = next(row for row in rows if row["kind"] == "send_marked.1")
    assert mark["message"]["body"]["order"]["client_order_id"] == "bw-main-k3v9q2m7x1abcd-1"
    assert len(mark["digest"]) == 64


def test_show_from_a_number(directory: Path) -> None:
    """--from begins at that record, in whichever segment it stands."""
    assert journal("show", directory, "--from", COUNT)[1].split()[0] == str(COUNT)
    assert len(journal("show", directory, "--from", 3)[1].splitlines()) == COUNT - 2
    assert journal("show", directory, "--from", COUNT + 1) == (0, "", "")


def test_show_says_what_it_cannot_read(tmp_path: Path) -> None:
    """A payload that is no message of ours is a line that says so; nothing in it reaches the terminal."""
    opening = Opening(disk=RealDisk(tmp_path / "j"), prove=anything, reserve_bytes=0)
    made = create_journal(opening, date=DAY, state=b"")
    made.append(b"\x1b[2J no message")
    made.commit()
    made.close()
    code, output, _ = journal("show", tmp_path / "j")
    assert code == 0
    assert output.startswith("         1  unreadable, 15 bytes: malformed")
    row = json.loads(journal("show", "--json", tmp_path / "j")[1])
    assert bytes.fromhex(row["payload"]) == b"\x1b[2J no message"
    assert "1 payloads are no messages" in journal("verify", tmp_path / "j")[1]


def test_show_says_a_gap(directory: Path) -> None:
    """A gap is a line that says what is missing and why, in columns and in JSON."""
    (directory / SECOND).unlink()
    opening = Opening(disk=RealDisk(directory), prove=anything, reserve_bytes=0)
    resume_above(opening, above=100, reason="the disk\x1b was changed").close()
    code, output, _ = journal("show", directory)
    line = output.splitlines()[-1]
    assert code == 0
    assert line.endswith(
        f"101  gap: nothing after record {COUNT - 2} is here; the disk\N{REPLACEMENT CHARACTER} was changed"
    )
    row = json.loads(journal("show", "--json", directory)[1].splitlines()[-1])
    assert row["gap"] == {"after": COUNT - 2, "reason": "the disk\x1b was changed"}


def test_verify_of_a_whole_journal(directory: Path) -> None:
    """A row for each segment, then the verdict with the last number and digest, and code 0."""
    code, output, errors = journal("verify", directory)
    lines = output.splitlines()
    assert (code, errors, len(lines)) == (0, "", 4)
    assert lines[1].split()[:5] == [FIRST, DAY, "1", str(COUNT - 2), str(COUNT - 2)]
    assert lines[2].split()[:5] == [SECOND, NEXT_DAY, str(COUNT - 1), str(COUNT), "2"]
    made = open_journal(Opening(disk=RealDisk(directory), prove=anything, reserve_bytes=0))
    assert lines[3] == f"clean, up to record {COUNT}, digest {made.anchor.digest}"
    made.close()


def test_verify_in_json(directory: Path) -> None:
    """With --json, an object for each segment, for each finding, and for the verdict."""
    code, output, _ = journal("verify", "--json", directory)
    *segments, verdict = [json.loads(line) for line in output.splitlines()]
    assert (code, [row["segment"]["number"] for row in segments]) == (0, [1, 2])
    assert (verdict["verdict"], verdict["sequence"], verdict["unreadable_payloads"]) == ("clean", COUNT, 0)
    flip(directory / SECOND, b"state")
    code, output, _ = journal("verify", "--json", directory)
    rows = [json.loads(line) for line in output.splitlines()]
    assert (code, rows[-1]["verdict"]) == (1, "damaged")
    assert any(row.get("finding", {}).get("kind") == "damaged" for row in rows)


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_verify_finds_damage_in_any_segment(name: str, directory: Path) -> None:
    """A flipped bit in any segment is named with its file and byte, with code 1."""
    content = bytearray((directory / name).read_bytes())
    content[len(content.rstrip(b"\0")) // 2] ^= 1
    (directory / name).write_bytes(content)
    code, output, _ = journal("verify", directory)
    assert code == 1
    assert f"damaged at {name}:" in output
    assert output.splitlines()[-1].startswith("damaged")


def test_show_prints_what_stands_before_the_damage(directory: Path) -> None:
    """Records before the damage are printed, the damage is said on standard error, and the code is 1."""
    flip(directory / FIRST, FRAMES[5])
    code, output, errors = journal("show", directory)
    assert (code, len(output.splitlines())) == (1, 5)
    assert f"damaged at {FIRST}:" in errors


def test_show_reaches_as_far_as_it_can(directory: Path) -> None:
    """With the newest segment unreadable from its first byte, all of the older ones is printed."""
    flip(directory / SECOND, b"BJh1")
    code, output, errors = journal("show", directory)
    assert (code, len(output.splitlines())) == (1, COUNT - 2)
    assert SECOND in errors


def test_tail_gives_the_last_records(directory: Path) -> None:
    """Without a number, the last ten; with one, from there."""
    code, output, _ = journal("tail", directory)
    assert (code, len(output.splitlines())) == (0, 10)
    assert output.splitlines()[-1].split()[0] == str(COUNT)
    assert len(journal("tail", directory, "--from", COUNT - 2)[1].splitlines()) == 3


def test_tail_follows(tmp_path: Path) -> None:
    """With --follow, what the writer commits is printed as it comes, across segments, until interrupted."""
    made = written(tmp_path / "executor")

    def pause() -> None:
        if made.anchor.sequence >= COUNT + 3:
            raise Stopped
        made.begin_segment(date=NEXT_DAY, state=b"")
        made.append(FRAMES[0])
        made.commit()

    output, errors = io.StringIO(), io.StringIO()
    arguments = ["tail", str(tmp_path / "executor"), "--follow", "--from", str(COUNT)]
    with pytest.raises(Stopped):
        run(arguments, Surroundings({}, output, errors, pause))
    assert [line.split()[0] for line in output.getvalue().splitlines()] == [str(COUNT + more) for more in range(4)]
    made.close()


def test_tail_without_a_mark_says_so(directory: Path) -> None:
    """Where no mark says what is durable, tail prints nothing and points to show."""
    (directory / "committed").unlink()
    code, output, errors = journal("tail", directory)
    assert (code, output) == (0, "")
    assert "try `show`" in errors
    assert len(journal("show", directory)[1].splitlines()) == COUNT


def test_a_role_is_a_directory_of_the_configuration(tmp_path: Path) -> None:
    """A role's journal is found where the configuration keeps it."""
    a_project(tmp_path)
    written(tmp_path / "var" / "journal" / "risk").close()
    assert journal("verify", "risk", "--root", tmp_path)[0] == 0
    code, _, errors = journal("verify", "executor", "--root", tmp_path)
    assert code == 2
    assert "there is no such directory; the roles that keep a journal: risk, executor, flattener" in errors


def test_a_place_that_is_no_journal_is_told(tmp_path: Path) -> None:
    """A missing directory, a file, an empty directory and one with other files are each said in words, with code 2."""
    file = tmp_path / "file"
    file.write_text("x")
    empty = tmp_path / "empty"
    empty.mkdir()
    for place, words in (
        (tmp_path / "nowhere", "there is no such directory"),
        (file, "is no directory"),
        (empty, "is empty"),
        (tmp_path, "holds no journal, but empty, file"),
    ):
        for action in ("show", "verify", "tail"):
            code, output, errors = journal(action, place)
            assert (code, output) == (2, "")
            assert f"bowline journal: {place}: {words}" in errors


def test_a_journal_of_somebody_else_is_told() -> None:
    """Without the right to read, the words say whose it is, with code 2."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        for case, closed, words in (
            ("one", ".", "you may not read it; journals belong to the user the mesh runs as"),
            ("two", SECOND, f"{SECOND}: Permission denied"),
        ):
            directory = place / case
            written(directory).close()
            directory.chmod(0o755)
            for file in directory.iterdir():
                file.chmod(0o644)
            (directory / closed).chmod(0)
            before = os.geteuid()
            if before == 0:
                os.seteuid(NOBODY)
            code, _, errors = journal("verify", directory)
            os.seteuid(before)
            directory.chmod(0o755)
            assert (code, words in errors) == (2, True), errors


def test_a_link_in_a_journal_is_told(directory: Path) -> None:
    """A segment that is a symbolic link is not followed, and the file is named."""
    (directory / FIRST).rename(directory.parent / "elsewhere")
    (directory / FIRST).symlink_to(directory.parent / "elsewhere")
    code, _, errors = journal("verify", directory)
    assert (code, FIRST in errors) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["show"],
        ["dance", "x"],
        ["show", "x", "--from", "0"],
        ["tail", "x", "--from", "-1"],
        ["show", "x", "--follow"],
    ],
)
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong arguments end in argparse's usage line and code 2."""
    with pytest.raises(SystemExit) as raised:
        journal(*arguments)
    assert raised.value.code == 2
    assert "usage: bowline journal" in capsys.readouterr().err


def test_looking_changes_nothing(directory: Path) -> None:
    """Show, verify and tail leave every byte of a journal, whole or damaged, as it was."""
    for break_it in (False, True):
        if break_it:
            (directory / SECOND).write_bytes((directory / SECOND).read_bytes()[:-5])
        before = {file.name: file.read_bytes() for file in directory.iterdir()}
        for action in ("show", "verify", "tail"):
            journal(action, directory)
        assert {file.name: file.read_bytes() for file in directory.iterdir()} == before


def test_the_verb_in_a_process_of_its_own(directory: Path) -> None:
    """As a user runs it: verify answers clean with 0, and damaged with 1."""
    result = bowline("journal", "verify", str(directory))
    assert (result.returncode, result.stdout.splitlines()[-1].split(",")[0]) == (0, "clean")
    flip(directory / FIRST, FRAMES[0])
    assert bowline("journal", "verify", str(directory)).returncode == 1
