"""How long a bar is, and when one opens: a grid of UTC times, with weeks that open on Monday."""

import re
from typing import Final

import msgspec

SECOND_NS: Final = 1_000_000_000
UNITS_NS: Final = {
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3_600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "w": 604_800 * SECOND_NS,
}
WEEK_NS: Final = UNITS_NS["w"]
FIRST_MONDAY_NS: Final = 4 * UNITS_NS["d"]  # the epoch was a Thursday
WRITTEN: Final = re.compile(r"(?P<count>[1-9][0-9]{0,5})(?P<unit>[smhdw])")
ACCEPTED: Final = "a whole number without leading zeros and one of s, m, h, d, w, at most one week: 5s, 1m, 4h, 1d"


class TimeframeRefusedError(ValueError):
    """A name that is no timeframe."""


def grid_ns(duration_ns: int) -> int:
    """Return a time at which a bar of this length opens."""
    return FIRST_MONDAY_NS if duration_ns == WEEK_NS else 0


class Timeframe(msgspec.Struct, frozen=True, gc=False):
    """The length of a bar. Two names of one length, `60s` and `1m`, have one grid and are two timeframes."""

    name: str
    duration_ns: int

    def open_time_ns(self, time_ns: int) -> int:
        """Return when the bar opened that this time lies in."""
        return time_ns - (time_ns - grid_ns(self.duration_ns)) % self.duration_ns

    def close_time_ns(self, open_time_ns: int) -> int:
        """Return when the bar closes that opened then, which is when the next one opens."""
        return open_time_ns + self.duration_ns

    def holds(self, other: "Timeframe") -> bool:
        """Say whether each bar of this one is made of whole bars of the other."""
        apart_ns = grid_ns(self.duration_ns) - grid_ns(other.duration_ns)
        return self.duration_ns % other.duration_ns == 0 and apart_ns % other.duration_ns == 0


def timeframe(name: str) -> Timeframe:
    """Return the timeframe of this name."""
    written = WRITTEN.fullmatch(name)
    if written is None:
        raise TimeframeRefusedError(f"{name[:16]!r} is no timeframe: write {ACCEPTED}.")
    duration_ns = int(written["count"]) * UNITS_NS[written["unit"]]
    if duration_ns > WEEK_NS:
        raise TimeframeRefusedError(f"{name!r} is longer than a week: write {ACCEPTED}.")
    return Timeframe(name, duration_ns)
