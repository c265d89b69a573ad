"""What the venue takes of this address: how much weight it has used, and whether it takes any order at all now. Pure.

While it takes none, every order waits, a stop and an exit too: one that is sent all the same is not taken, and
lengthens that. How much weight is used stands against entries alone.
"""

from typing import Final

from shared.core.service import Moment
from shared.execution.vocabulary import WeightTold

WEIGHT_FOR_ENTRIES: Final = 4_200  # of the 6,000 a minute that the venue grants an address
CLOSED: Final = "the venue takes no orders for a while: there were too many requests"


class Allowance:
    """What it is, as the venue told."""

    def __init__(self) -> None:
        self._used_weight = 0
        self._closed_until_boot_ns = 0

    def told(self, told: WeightTold) -> None:
        """Take in how much of the venue's limit is used, and until when it takes nothing."""
        self._used_weight = told.used_weight
        self._closed_until_boot_ns = max(told.banned_until_boot_ns or 0, told.orders_closed_until_boot_ns or 0)

    def is_left_alone(self, now: Moment) -> bool:
        """Say whether the venue takes no orders of ours."""
        return self.left_alone_ns(now) > 0

    def left_alone_ns(self, now: Moment) -> int:
        """Return for how long it takes none."""
        return max(self._closed_until_boot_ns - now.boot_ns, 0)

    def entry_refusal(self, now: Moment) -> str | None:
        """Say why no entry may be sent now."""
        if self.is_left_alone(now):
            return CLOSED
        if self._used_weight > WEIGHT_FOR_ENTRIES:
            return f"{self._used_weight} of the venue's weight a minute is used, and exits come first"
        return None
