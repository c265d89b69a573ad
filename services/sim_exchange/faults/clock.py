"""The venue's clock, which can be wrong: whoever runs the exchange hands it to the desk, and a fault sets it."""

from collections.abc import Callable
from typing import Final


class SkewableClock:
    """A clock in milliseconds since 1970, and how far off what the venue believes is."""

    def __init__(self, true_ms: Callable[[], int]) -> None:
        self.true_ms: Final = true_ms  # by which faults begin and end, however wrong the venue's own clock is
        self.skew_ms = 0

    def __call__(self) -> int:
        """Return the time as the venue believes it is."""
        return self.true_ms() + self.skew_ms
