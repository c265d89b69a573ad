"""How far a venue's clock is from our boot clock: what requests are signed with, so that nobody's wall clock matters.

Pure: a shell measures round trips and calls `add`. One request for the venue's time proves this much: at some instant
between sending and receiving, the venue's clock showed its stamp. That bounds the offset from both sides, whatever the
two ways took. The narrowest bound of the last few is used; its half width is the stated uncertainty.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SAMPLES_MAX: Final = 8
ROUND_TRIP_MAX_NS: Final = 10_000_000_000
# The kernel slews a clock by at most 500 parts per million: so much a sample loses in sharpness as it ages.
DRIFT_MAX_PPM: Final = 500
# Venues stamp whole milliseconds and cut off the rest.
STAMP_RESOLUTION_NS: Final = 1_000_000
VENUE_TIME_MIN_NS: Final = 1_483_228_800_000_000_000  # 2017-01-01: no venue we trade on is older
VENUE_TIME_MAX_NS: Final = 4_102_444_800_000_000_000  # 2100-01-01
PARTS_PER_MILLION: Final = 1_000_000


class SampleRefused(StrEnum):
    """Why a sample cannot be used."""

    RECEIVED_BEFORE_SENT = "received before sent"
    ROUND_TRIP_TOO_LONG = "round trip too long"
    VENUE_TIME_IMPLAUSIBLE = "venue time implausible"


@dataclass(frozen=True, slots=True)
class OffsetEstimate:
    """Venue time = boot time + `offset_ns`, give or take `uncertainty_ns`."""

    offset_ns: int
    uncertainty_ns: int

    def venue_ns(self, boot_ns: int) -> int:
        """Return what the venue's clock shows at an instant of our boot clock."""
        return boot_ns + self.offset_ns


@dataclass(frozen=True, slots=True)
class _Sample:
    lowest_ns: int
    highest_ns: int
    received_boot_ns: int

    def at(self, boot_ns: int) -> tuple[int, int]:
        """Return the bounds as they stand now, after whatever drift was possible since."""
        drift_ns = max(boot_ns - self.received_boot_ns, 0) * DRIFT_MAX_PPM // PARTS_PER_MILLION
        return self.lowest_ns - drift_ns, self.highest_ns + drift_ns


class VenueOffset:
    """The offset to one venue from its last samples. Used within one boot only, like the boot times it is made of."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES_MAX)

    def add(self, *, sent_boot_ns: int, received_boot_ns: int, venue_ns: int) -> SampleRefused | None:
        """Take one round trip in; an impossible one is refused by value and changes nothing."""
        if received_boot_ns < sent_boot_ns:
            return SampleRefused.RECEIVED_BEFORE_SENT
        if received_boot_ns - sent_boot_ns > ROUND_TRIP_MAX_NS:
            return SampleRefused.ROUND_TRIP_TOO_LONG
        if not VENUE_TIME_MIN_NS <= venue_ns < VENUE_TIME_MAX_NS:
            return SampleRefused.VENUE_TIME_IMPLAUSIBLE
        self._samples.append(
            _Sample(venue_ns - received_boot_ns, venue_ns + STAMP_RESOLUTION_NS - sent_boot_ns, received_boot_ns)
        )
        return None

    def estimate(self, *, boot_ns: int) -> OffsetEstimate | None:
        """Return the best offset known at this instant, None before the first sample.

        A sample that contradicts the best one means that a clock was set or somebody is wrong, and nothing here can
        tell who; until it leaves the window the uncertainty reaches as far as it does.
        """
        if not self._samples:
            return None
        bounds = [sample.at(boot_ns) for sample in self._samples]
        # Of two equally sharp samples the newer counts.
        lowest_ns, highest_ns = min(reversed(bounds), key=lambda bound: bound[1] - bound[0])
        offset_ns = (lowest_ns + highest_ns) // 2
        reach_ns = highest_ns - offset_ns
        for low_ns, high_ns in bounds:
            if low_ns > highest_ns or high_ns < lowest_ns:
                reach_ns = max(reach_ns, high_ns - offset_ns, offset_ns - low_ns)
        return OffsetEstimate(offset_ns, reach_ns)

    def forget(self) -> None:
        """Drop every sample: after the venue said that our time is wrong, or after the machine slept."""
        self._samples.clear()
