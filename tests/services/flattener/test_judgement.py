"""When the flattener acts for the executor, and when it does not: each rule from both sides."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.risk import Latch
from services.flattener.core.judgement import (
    IGNORED_NS,
    QUIET_NS,
    SILENT_NS,
    STEPLESS_NS,
    UNCOVERED_NS,
    Found,
    Sight,
    need,
    worth_a_look,
)
from shared.core.booting import BOOT_NS
from tests.services.flattener.bench import BTC, SECOND_NS

LATCH = Latch("kill-1", "ada", "it looks wrong", 1)
AT_WORK = Sight(
    watched_ns=3_600 * SECOND_NS, latch=None, latched_ns=0, state="running", silent_ns=0, stepless_ns=3_600 * SECOND_NS
)
LATCHED = replace(AT_WORK, latch=LATCH, latched_ns=60 * SECOND_NS, stepless_ns=0)
BOOTING = replace(LATCHED, state="booting", silent_ns=BOOT_NS, latched_ns=BOOT_NS, watched_ns=BOOT_NS)
SILENT = replace(LATCHED, silent_ns=SILENT_NS["running"], stepless_ns=SILENT_NS["running"])
FLATTENING = Found(has_begun=True, quiet_ns=3_600 * SECOND_NS)
GONE = replace(AT_WORK, silent_ns=UNCOVERED_NS)
BARE = Found(uncovered=(BTC,), quiet_ns=UNCOVERED_NS)

ACTS = {
    "the latch stands, and the executor is silent": (SILENT, FLATTENING),
    "it is silent, and had not even begun": (SILENT, replace(FLATTENING, has_begun=False)),
    "it has been booting for too long": (
        replace(SILENT, state="booting", silent_ns=SILENT_NS["booting"]),
        replace(FLATTENING, has_begun=False),
    ),
    "it never came, at a start of the whole under the latch": (BOOTING, replace(FLATTENING, has_begun=False)),
    "it moves while it boots, and ignores the latch": (
        replace(BOOTING, silent_ns=0, latched_ns=SILENT_NS["booting"]),
        Found(),
    ),
    "it never came back from draining": (
        replace(SILENT, state="draining", silent_ns=SILENT_NS["draining"]),
        FLATTENING,
    ),
    "it moves, and ignores the latch": (replace(LATCHED, latched_ns=IGNORED_NS), Found()),
    "it moves, takes no step, and says nothing": (
        replace(LATCHED, stepless_ns=STEPLESS_NS),
        replace(FLATTENING, quiet_ns=QUIET_NS),
    ),
    "something is bare, and it is gone": (GONE, BARE),
    "something is bare, and it is gone since it booted": (
        replace(GONE, state="booting", silent_ns=UNCOVERED_NS + BOOT_NS),
        replace(BARE, quiet_ns=UNCOVERED_NS + BOOT_NS),
    ),
}
LEAVES_ALONE = {
    "nothing is wrong": (AT_WORK, Found()),
    "it crashed, and may be back in a moment": (replace(SILENT, silent_ns=SILENT_NS["running"] - 1), FLATTENING),
    "it crashed as the latch was set, and may be back in a moment": (
        replace(SILENT, silent_ns=SILENT_NS["running"] - 1, latched_ns=SILENT_NS["running"] - 1),
        Found(quiet_ns=SILENT_NS["running"] - 1),
    ),
    "it is booting": (replace(SILENT, state="booting", silent_ns=SILENT_NS["booting"] - 1), FLATTENING),
    "it boots beside us": (
        replace(BOOTING, watched_ns=BOOT_NS - 1, silent_ns=BOOT_NS - 1, latched_ns=BOOT_NS - 1),
        replace(FLATTENING, has_begun=False),
    ),
    "it boots beside us, and moves": (replace(BOOTING, watched_ns=BOOT_NS - 1, silent_ns=0), Found()),
    "its newest record is old, but we have just begun": (
        replace(SILENT, watched_ns=SILENT_NS["running"] - 1),
        FLATTENING,
    ),
    "it ends in order": (replace(SILENT, state="draining"), FLATTENING),
    "it is not heard, and writes": (SILENT, replace(FLATTENING, quiet_ns=SECOND_NS)),
    "it has told that all is flat": (SILENT, replace(FLATTENING, is_done=True)),
    "it had no time to see the latch": (replace(LATCHED, latched_ns=IGNORED_NS - 1), Found()),
    "it flattens": (LATCHED, FLATTENING),
    "the venue refuses, and it says so": (
        replace(LATCHED, stepless_ns=STEPLESS_NS),
        replace(FLATTENING, quiet_ns=QUIET_NS - 1),
    ),
    "it is gone, and everything is covered": (GONE, replace(BARE, uncovered=())),
    "something is bare, and it may be back": (replace(GONE, silent_ns=UNCOVERED_NS - 1), BARE),
    "something is bare, and it boots": (replace(GONE, state="booting"), BARE),
    "something is bare, and it writes though it is not heard": (GONE, replace(BARE, quiet_ns=SECOND_NS)),
}


@pytest.mark.parametrize(("sight", "found"), ACTS.values(), ids=ACTS)
def test_it_acts(sight: Sight, found: Found) -> None:
    """There is need; and before anything was read, there was reason to look."""
    assert worth_a_look(sight, Found())
    assert need(sight, found) is not None


@pytest.mark.parametrize(("sight", "found"), LEAVES_ALONE.values(), ids=LEAVES_ALONE)
def test_it_leaves_alone(sight: Sight, found: Found) -> None:
    """Nobody is needed, whatever stands in the journal."""
    assert need(sight, found) is None


def test_only_what_is_bare_is_closed_without_a_latch() -> None:
    """Under the latch everything is closed, which needs no symbols; else what is bare, and nothing more."""
    bare, latched = need(GONE, BARE), need(SILENT, FLATTENING)
    assert bare is not None
    assert latched is not None
    assert (bare.symbols, latched.symbols) == ((BTC,), ())


def test_it_does_not_look_again_and_again_at_what_is_well() -> None:
    """An executor that flattens, or has told that all is flat, is no reason to read its journal."""
    assert not worth_a_look(LATCHED, FLATTENING)
    assert not worth_a_look(SILENT, replace(FLATTENING, is_done=True))
    assert not worth_a_look(AT_WORK, Found())


SIGHTS = st.builds(
    Sight,
    watched_ns=st.integers(0, 60).map(lambda seconds: seconds * SECOND_NS),
    latch=st.sampled_from([None, LATCH]),
    latched_ns=st.integers(0, 60).map(lambda seconds: seconds * SECOND_NS),
    state=st.sampled_from(sorted(SILENT_NS)),
    silent_ns=st.integers(0, 60).map(lambda seconds: seconds * SECOND_NS),
    stepless_ns=st.integers(0, 60).map(lambda seconds: seconds * SECOND_NS),
)
FINDINGS = st.builds(
    Found,
    has_begun=st.booleans(),
    is_done=st.booleans(),
    uncovered=st.sampled_from([(), (BTC,)]),
    quiet_ns=st.integers(0, 60).map(lambda seconds: seconds * SECOND_NS),
)


@given(SIGHTS, FINDINGS)
def test_every_need_is_worth_a_look(sight: Sight, found: Found) -> None:
    """Whatever it would act for is looked for, also where the same stood in the journal the last time."""
    assert need(sight, found) is None or worth_a_look(sight, found)


@given(SIGHTS, FINDINGS)
def test_it_is_patient_with_whoever_lives_and_with_what_is_done(sight: Sight, found: Found) -> None:
    """Who writes is only ended for a latch that it ignores; without a latch that waits, only what is bare is closed."""
    needed = need(sight, found)
    if needed is not None and found.quiet_ns < SILENT_NS["running"]:
        assert sight.latch is not None
        assert not found.has_begun
    if needed is not None and (sight.latch is None or found.is_done):
        assert needed.symbols == found.uncovered != ()


@given(SIGHTS, FINDINGS, st.integers(0, 60))
def test_longer_silence_is_no_less_a_need(sight: Sight, found: Found, seconds: int) -> None:
    """What is a need stays one, for as long as nothing is heard and nothing written."""
    more_ns = seconds * SECOND_NS
    later = replace(
        sight,
        watched_ns=sight.watched_ns + more_ns,
        latched_ns=sight.latched_ns + more_ns,
        silent_ns=sight.silent_ns + more_ns,
        stepless_ns=sight.stepless_ns + more_ns,
    )
    assert need(sight, found) is None or need(later, replace(found, quiet_ns=found.quiet_ns + more_ns)) is not None
