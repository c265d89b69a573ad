"""Times for people."""

import pytest

from shared.core.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 min 00 s"),
        (3_599, "59 min 59 s"),
        (3_600, "1 h 00 min"),
        (90_000, "1 d 01 h"),
    ],
)
def test_duration_has_two_units(seconds: float, text: str) -> None:
    """A time is written with its two greatest units."""
    assert duration(seconds) == text
