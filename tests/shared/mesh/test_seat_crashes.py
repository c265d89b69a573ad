"""Seats under kill -9 at every line of the code that takes them, and at random instants among racing processes."""

import random
import select
from pathlib import Path

import pytest

from shared.mesh.clock import SystemClock
from shared.mesh.epoch import EpochVerdict
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post, Seat, take_seat
from tests.shared.mesh.crew import Crew, Sailor

LINES_MIN = 100
LINES_MAX = 1_000
RACERS = 3
RACE_ROUNDS = 80
RACE_ROUNDS_MAX = 2_000


# Most lines of a fencing are those of a start, so steps without a common factor meet nearly all of them.
@pytest.mark.parametrize(("act", "step"), [("start", 2), ("fence", 3)])
def test_a_death_at_any_line_blocks_nobody_and_repeats_no_epoch(
    act: str, step: int, crew: Crew, fast_path: Path
) -> None:
    """Killed before any line of a start or a fencing, a process leaves a seat that is free, and epochs that grow."""
    epoch = 0
    for line in range(1, LINES_MAX, step):
        mortal = crew.start("mortal", fast_path / "run", act=act, line=line)
        if mortal.hear():
            assert line > LINES_MIN
            return
        with PrivateDirectory(fast_path / "run") as directory:
            heir = take_seat(Post("executor", directory, SystemClock()))
            assert isinstance(heir, Seat), heir.words
            assert heir.epoch > epoch
            assert heir.verdict is not EpochVerdict.DAMAGED
            epoch = heir.epoch
            heir.stop()
        crew.dismiss([mortal])
    raise AssertionError("the process never came to its end")


def test_a_holder_may_die_at_any_line_of_its_fencing(crew: Crew, fast_path: Path) -> None:
    """A holder that dies by itself while it is being fenced changes nothing: the fencer wins, with a higher epoch."""
    epoch = 0
    for line in range(1, 180, 6):
        holder = crew.start("hold", fast_path / "run")
        assert holder.hear()["epoch"] > epoch
        fencer = crew.start("assassin", fast_path / "run", line=line, victim=holder.process_id)
        result = fencer.hear()
        assert result["epoch"] > epoch, result
        epoch = result["epoch"]
        crew.dismiss([holder, fencer])


def test_racing_processes_never_hold_the_seat_together(crew: Crew, fast_path: Path) -> None:
    """Started at once, killed at random instants, some stopped in order: one holder at a time, epochs only grow.

    Every holder takes a lock of another kind on the witness file, which only fails if somebody else holds the seat.
    """
    chance = random.Random(20_260_728)  # noqa: S311 - a seeded draw of instants, nothing secret
    witness = fast_path / "witness"

    def racer() -> Sailor:
        return crew.start("racer", fast_path / "run", witness=str(witness))

    def held() -> list[str]:
        return witness.read_text().splitlines() if witness.exists() else []

    racers = [racer() for _ in range(RACERS)]
    for round_number in range(RACE_ROUNDS_MAX):
        if round_number >= RACE_ROUNDS and len(held()) > RACE_ROUNDS // 4:  # on a busy machine many die too young
            break
        # Any instant will do; the kernel's timer only picks one.
        select.poll().poll(chance.uniform(0, 8))
        place = chance.randrange(RACERS)
        if chance.random() < 0.3:
            racers[place].say("stop if you hold it")
        else:
            crew.dismiss([racers[place]])
            racers[place] = racer()
    crew.dismiss(racers)
    last = racer()
    last.hear()
    words, epochs = zip(*(line.split() for line in held()), strict=True)
    assert set(words) == {"held"}
    assert [int(epoch) for epoch in epochs] == sorted({int(epoch) for epoch in epochs})
    assert len(epochs) > RACE_ROUNDS // 4
