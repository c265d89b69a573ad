"""The fuzz target, for a moment in every test run; `make fuzz` lets it run for millions."""

from proto.codec import BadFrameReason
from tests.proto.fuzz import fuzz


def test_mutated_frames_are_taken_or_refused() -> None:
    """Thousands of mutated frames raise nothing but the one exception, and reach most of its reasons."""
    outcomes = fuzz(20_000, seed=7)
    assert outcomes["taken"] > 0
    assert set(outcomes) - {"taken"} >= set(BadFrameReason) - {BadFrameReason.TOO_LARGE}


def test_a_seed_repeats_its_run() -> None:
    """A finding can be repeated from its seed."""
    assert fuzz(500, seed=3) == fuzz(500, seed=3)
