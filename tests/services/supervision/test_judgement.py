"""What a process is called, from what is known about it, and the table that shows it."""

import json
from dataclasses import replace

import pytest

from services.supervision.judgement import Beat, Evidence, Holder, State, Word, rows_of
from services.supervision.table import as_json, as_text
from shared.execution.belonging import why_not_ours

OWN = Holder(process_id=41, uptime_s=100, orphan=False)
ORPHAN = Holder(process_id=40, uptime_s=4_000, orphan=True)
WELL = Evidence("risk", Word("RUNNING", 41, 100), OWN, Beat(0.2), starts=1, epoch=1, crash_loop=False)
NOBODY = replace(WELL, holder=None, beat=None)

EVERY_KIND = (
    replace(WELL, instance="dashboard", word=Word("STOPPED", 0, 0), holder=None, beat=None, starts=None, epoch=None),
    replace(WELL, instance="executor", holder=ORPHAN, starts=4, epoch=4),
    replace(WELL, instance="feed-1", starts=13, epoch=13, crash_loop=True),
    replace(WELL, instance="feed-2", beat=Beat(None)),
    replace(WELL, instance="gateway", beat=Beat(None, has_socket=False)),
    replace(WELL, instance="metrics", word=None, holder=None, beat=None, starts=1, epoch=1),
    replace(WELL, instance="recorder", word=Word("FATAL", 0, 0, "can't find command"), holder=None, beat=None),
    WELL,
)

FOREIGN = Evidence("redis", Word("RUNNING", 51, 100), None, None, None, None, crash_loop=False, foreign=True)

TABLE = """\
process    state         pid      uptime  starts  heartbeat  epoch
dashboard  STOPPED         -           -       -          -      -
executor   STANDBY        41  1 min 40 s       -          -      -  waits for process 40
executor   ORPHAN         40  1 h 06 min       4      0.2 s      4  no child of this supervisord
feed-1     CRASH LOOP     41  1 min 40 s      13      0.2 s     13  died three times within 60 s
feed-2     SILENT         41  1 min 40 s       1          -      1  no heartbeat for 1.5 s: `bowline restart feed-2`
gateway    NO HEARTBEAT   41  1 min 40 s       1          -      1  has no socket for it: `bowline restart gateway`
metrics    STOPPED         -           -       1          -      1
recorder   FATAL           -           -       1          -      1  can't find command
risk       RUNNING        41  1 min 40 s       1      0.2 s      1
"""


def test_table_is_this_one() -> None:
    """Every kind of row, as people see it."""
    assert as_text(rows_of(EVERY_KIND)) == TABLE


def test_table_for_programs_has_the_same() -> None:
    """With --json the rows have names, and what is not known is null."""
    told = json.loads(as_json(rows_of([WELL, NOBODY]), {"supervisor_id": 7, "remarks": ["it rains"]}))
    assert (told["supervisor_id"], told["remarks"]) == (7, ["it rains"])
    assert told["processes"][0] == {
        "instance": "risk",
        "state": "RUNNING",
        "process_id": 41,
        "uptime_s": 100,
        "starts": 1,
        "heartbeat_age_s": 0.2,
        "epoch": 1,
        "remark": "",
    }
    assert told["processes"][1]["heartbeat_age_s"] is None


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (WELL, State.RUNNING),
        (replace(WELL, looped_before=True), State.RUNNING),
        (replace(WELL, beat=Beat(0.2, boots=True)), State.STARTING),
        (replace(WELL, beat=Beat(0.2, boots=True), crash_loop=True), State.CRASH_LOOP),
        (replace(WELL, beat=None), State.UNKNOWN),
        (replace(WELL, beat=Beat(None, has_socket=False)), State.NO_HEARTBEAT),
        (replace(WELL, beat=Beat(None, has_socket=False), holder=replace(OWN, uptime_s=2)), State.STARTING),
        (replace(WELL, word=None), State.RUNNING),
        (replace(WELL, word=None, beat=Beat(1.6)), State.SILENT),
        (replace(WELL, beat=Beat(1.5)), State.RUNNING),
        (replace(WELL, beat=Beat(1.6)), State.SILENT),
        (replace(WELL, beat=Beat(None), crash_loop=True), State.SILENT),
        (replace(WELL, beat=Beat(None), holder=replace(OWN, uptime_s=2)), State.STARTING),
        (replace(WELL, crash_loop=True), State.CRASH_LOOP),
        (replace(WELL, word=Word("STARTING", 41, 0)), State.STARTING),
        (replace(WELL, word=Word("STOPPING", 41, 0)), State.STOPPING),
        (replace(WELL, word=Word("STARTING", 41, 0), crash_loop=True), State.CRASH_LOOP),
        (replace(WELL, beat=Beat(None), holder=replace(OWN, uptime_s=2), crash_loop=True), State.CRASH_LOOP),
        (NOBODY, State.STARTING),
        (replace(NOBODY, seat_readable=False), State.UNKNOWN),
        (replace(NOBODY, seat_readable=False, word=None), State.UNKNOWN),
        (replace(NOBODY, seat_readable=False, word=Word("FATAL", 0, 0)), State.FATAL),
        (replace(NOBODY, crash_loop=True), State.CRASH_LOOP),
        (replace(NOBODY, holder="the lock file does not say who holds it"), State.STANDBY),
        (replace(NOBODY, word=Word("BACKOFF", 0, 0)), State.BACKOFF),
        (replace(NOBODY, word=Word("BACKOFF", 0, 0), crash_loop=True), State.CRASH_LOOP),
        (replace(NOBODY, word=Word("FATAL", 0, 0), crash_loop=True), State.FATAL),
        (replace(NOBODY, word=Word("EXITED", 0, 0)), State.STOPPED),
        (replace(NOBODY, word=Word("UNKNOWN", 0, 0)), State.UNKNOWN),
        (replace(NOBODY, word=None), State.STOPPED),
        (replace(WELL, word=None, holder=ORPHAN), State.ORPHAN),
    ],
)
def test_state_follows_from_the_evidence(evidence: Evidence, state: State) -> None:
    """Supervisord's word is held against the lock and the heartbeat, and the graver finding counts."""
    (row,) = rows_of([evidence])
    assert row.state is state
    assert row.well is (state is State.RUNNING)


@pytest.mark.parametrize(
    ("word", "crash_loop", "state"),
    [
        (Word("RUNNING", 51, 100), False, State.RUNNING),
        (Word("RUNNING", 51, 100), True, State.CRASH_LOOP),
        (Word("STARTING", 51, 0), False, State.STARTING),
        (Word("STOPPED", 0, 0), False, State.STOPPED),
        (Word("FATAL", 0, 0), False, State.FATAL),
        (None, False, State.STOPPED),
    ],
)
def test_of_a_foreign_program_supervisord_s_word_counts(word: Word | None, *, crash_loop: bool, state: State) -> None:
    """What is no process of the mesh has no seat, no heartbeat and no epoch, and is well without them."""
    (row,) = rows_of([replace(FOREIGN, word=word, crash_loop=crash_loop)])
    assert (row.state, row.epoch, row.starts, row.heartbeat_age_s) == (state, None, None, None)
    assert row.process_id == (word.process_id or None if word is not None else None)


@pytest.mark.parametrize(
    ("said", "state"), [("RUNNING", State.OFF), ("STARTING", State.STARTING), ("FATAL", State.FATAL)]
)
def test_what_only_rests_is_off(said: str, state: State) -> None:
    """A program that stands in for one that is not wanted does not run, and is well; the reason stands beside it."""
    (row,) = rows_of([replace(FOREIGN, word=Word(said, 51, 100), rests="no Redis is wanted")])
    assert (row.state, row.well) == (state, state is State.OFF)
    assert state is not State.OFF or row.remark == "no Redis is wanted"


def test_what_a_process_is_wary_of_is_said() -> None:
    """A disk without room, a journal that lost its tail: it runs, and whoever looks reads it."""
    wary = Beat(0.2, troubles=("the disk has no room for the journal", "the journal of risk lost its tail"))
    (row,) = rows_of([replace(WELL, beat=wary)])
    assert (row.state, row.remark) == (State.RUNNING, "; ".join(wary.troubles))


def test_what_does_nothing_at_all_is_not_well() -> None:
    """Nothing is covered or closed, whatever its heart does: who asks by the exit code alone is told."""
    why = why_not_ours("sim/simulated/main", "sim/simulated/mian")
    assert why is not None
    (row,) = rows_of([replace(WELL, beat=Beat(0.2, troubles=("a damaged anchor", why)))])
    assert (row.state, row.well, row.wary) == (State.IDLE, False, False)
    assert row.remark == f"a damaged anchor; {why}"
