"""What a person reads of a guard's trip, of the latch and of who cleared it, and how a trip is recomputed."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from proto.envelope import Body
from proto.risk import Latch, OfSymbol
from proto.verdicts import (
    CoverRead,
    CoverTripped,
    EntriesPaused,
    EntriesResumed,
    GuardTripped,
    KillCleared,
    KillLatched,
)
from services.inspection import risk_command, trips
from shared.mesh.halt_file import NOBODY
from tests.services.inspection.journals import written
from tests.shared.mesh.settings.projects import a_project
from tests.shared.risk.readings import Tape

TRIP = "trip-drawdown-1-4"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project in which nothing ever ran."""
    a_project(tmp_path)
    return tmp_path


def a_trip() -> list[Body]:
    """Return the journal of a fall from 1000 to 820, of which both guards trip."""
    tape = Tape()
    tape.reads(1000, 1000, 830, 820)
    tape.trips()
    return [record.body for record in tape.records]


def rows(root: Path, bodies: Sequence[Body], capsys: pytest.CaptureFixture[str]) -> list[tuple[str, ...]]:
    """Return the rows without their times, and whether each is cleared."""
    written(root, "risk", bodies)
    assert trips.main(["--root", str(root), "--json"]) == 0
    found = map(json.loads, capsys.readouterr().out.splitlines())
    return [(row["event"], row["name"], row["actor"], str(row["cleared"] != trips.STANDS)) for row in found]


def test_trips_stand_until_their_latch_is_cleared(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever clears the newest of the names clears all that stood with it, and nothing that comes later."""
    later = KillLatched(Latch("kill-9", "ada", "again", 1))
    cleared = KillCleared("trip-daily-loss-1-4", "ada", "it was a crash of the market")
    assert rows(root, [*a_trip(), cleared, later], capsys) == [
        ("tripped", TRIP, "risk", "True"),
        ("latched", TRIP, "risk", "True"),
        ("tripped", "trip-daily-loss-1-4", "risk", "True"),
        ("latched", "trip-daily-loss-1-4", "risk", "True"),
        ("cleared", "trip-daily-loss-1-4", "ada", "True"),
        ("latched", "kill-9", "ada", "False"),
    ]


def test_a_press_whose_file_cannot_have_its_words_is_one_row(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As with a directory in the file's place: each that is told of it makes a name more, and the newest is cleared."""
    names = (
        ("halt-1", NOBODY, 0),
        ("halt-2", NOBODY, 60),
        ("kill-1", "ada", 60.3),
        ("kill-0", "ada", 60.3),
        ("halt-3", NOBODY, 60.4),
    )
    latches = [KillLatched(Latch(name, actor, "a reason", round(at * 1e9))) for name, actor, at in names]
    again = KillLatched(Latch("kill-2", "ben", "again", 61_000_000_000))
    later = KillLatched(Latch("halt-4", NOBODY, "by hand", 70_000_000_000))
    assert rows(root, [*latches, again, later, KillCleared("halt-4", "ada", "over")], capsys) == [
        ("latched", "halt-1", NOBODY, "True"),
        ("latched", "halt-3", "ada", "True"),
        ("latched", "kill-2", "ben", "True"),
        ("latched", "halt-4", NOBODY, "True"),
        ("cleared", "halt-4", "ada", "True"),
    ]


def test_table_says_who_and_why(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each act has an actor and a reason, for people as well."""
    written(root, "risk", [KillLatched(Latch("kill-9", "ada", "prices look wrong", 1))])
    assert trips.main(["--root", str(root)]) == 0
    heads, line = capsys.readouterr().out.splitlines()
    assert heads.split() == ["AT", "EVENT", "NAME", "CLEARED", "ACTOR", "REASON"]
    assert line.split()[2:] == ["latched", "kill-9", "no", "ada", "prices", "look", "wrong"]


def test_without_trips_it_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty answer could be a broken one."""
    assert trips.main(["--root", str(root)]) == 0
    assert capsys.readouterr().out == "no trips yet\n"


def test_trip_is_recomputed_from_the_journal(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows the readings, both results, and that they agree; as JSON for scripts."""
    written(root, "risk", a_trip())
    assert risk_command.main(["replay", TRIP, "--root", str(root)]) == 0
    said = capsys.readouterr().out
    assert "reading 1.4: equity 820, the executor's books say 820: agreed" in said
    assert f"written:    {TRIP}, from 1000, floor 850.00000000, equity 820" in said
    assert "at a limit of 15 %" in said
    assert said.endswith("they agree\n")
    assert risk_command.main(["replay", TRIP, "--root", str(root), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["agrees"], answer["recomputed"], len(answer["readings"])) == (True, TRIP, 4)


def a_cover_trip() -> list[Body]:
    """Return the journal of a position that risk had closed, and of who resumed its symbol."""
    reads: list[Body] = [
        CoverRead(
            reader_epoch=5,
            read_number=number,
            venue_time_ns=number * 2_000_000_000,
            strategy="trend",
            symbol="BTC/USDT",
            report_sequence=3,
            uncovered_ns=(14 + 2 * number) * 1_000_000_000,
            quantity=Decimal("0.5"),
            covered_quantity=Decimal(0),
            elsewhere_quantity=Decimal(0),
            free_quantity=Decimal("0.6"),
            locked_quantity=Decimal(0),
        )
        for number in (1, 2)
    ]
    trip = CoverTripped("trip-cover-5-2-3", "trend", "BTC/USDT", Decimal("0.5"), "it had no stop for 18 s")
    pause = EntriesPaused(OfSymbol("BTC/USDT"), "risk", "it had no stop")
    return [*reads, trip, pause, EntriesResumed(OfSymbol("BTC/USDT"), "ada", "seen to")]


def test_closed_position_stands_until_its_symbol_is_resumed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is no latch: whoever resumes the symbol ends it, and no other pause is shown here."""
    other: list[Body] = [
        EntriesPaused(OfSymbol("ETH/USDT"), "ada", "lunch"),
        EntriesResumed(OfSymbol("ETH/USDT"), "ada", "back"),
    ]
    kill = KillLatched(Latch("kill-9", "ada", "again", 1))
    assert rows(root, [kill, *a_cover_trip(), *other, *a_cover_trip()[:-1]], capsys) == [
        ("latched", "kill-9", "ada", "False"),
        ("tripped", "trip-cover-5-2-3", "risk", "True"),
        ("resumed", "BTC/USDT", "ada", "True"),
        ("tripped", "trip-cover-5-2-3", "risk", "False"),
    ]


def test_trip_of_a_cover_is_recomputed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the two readings and what the executor told; without the first of them it does not come out again."""
    written(root, "risk", a_cover_trip())
    assert risk_command.main(["replay", "trip-cover-5-2-3", "--root", str(root)]) == 0
    said = capsys.readouterr().out
    assert "reading 5.2: 0.5 BTC/USDT of trend without a stop for 18.0 s by the executor's report 3" in said
    assert "0.6 are free and 0 locked" in said
    assert said.endswith("they agree\n")
    assert risk_command.main(["replay", "trip-cover-5-2-3", "--root", str(root), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["agrees"], answer["symbol"], len(answer["readings"])) == (True, "BTC/USDT", 2)


def test_trip_of_a_cover_without_its_readings_is_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, as for any other."""
    written(root, "risk", a_cover_trip()[1:])
    assert risk_command.main(["replay", "trip-cover-5-2-3", "--root", str(root)]) == 1
    assert capsys.readouterr().out.endswith("they DISAGREE\n")


def test_trip_that_the_records_do_not_lead_to_is_found(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A journal in which the peak was written higher than it ever was: exit code 1."""
    forged = [
        msgspec.structs.replace(body, base_quote=Decimal(1100)) if isinstance(body, GuardTripped) else body
        for body in a_trip()
    ]
    written(root, "risk", forged)
    assert risk_command.main(["replay", TRIP, "--root", str(root)]) == 1
    assert capsys.readouterr().out.endswith("they DISAGREE\n")


def test_unknown_trip_names_those_that_are_known(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever mistypes the name is shown the right ones."""
    assert risk_command.main(["replay", "trip-1", "--root", str(root)]) == 2
    assert "no guard ever tripped" in capsys.readouterr().err
    written(root, "risk", a_trip())
    assert risk_command.main(["replay", "trip-1", "--root", str(root)]) == 2
    assert f"known are {TRIP}, trip-daily-loss-1-4" in capsys.readouterr().err
