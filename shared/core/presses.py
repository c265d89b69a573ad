"""A press of the kill switch, and the latch that comes of it. Pure.

Each press is a latch of its own name, with its actor and its reason, in the place of the one that stands. `bowline
kill` makes the HALT file and then tells everybody: whoever has come under that file's latch is told of it once more.
"""

from typing import Final

from proto.control import Kill
from proto.fields import clipped
from proto.risk import Latch

# So old may a latch be that whoever asks set by this very press, before he asked.
SAME_PRESS_NS_MAX: Final = 5_000_000_000


def latch_of(kill: Kill, wall_ns: int) -> Latch:
    """Return the latch that a press is."""
    return Latch(f"kill-{wall_ns}", kill.actor, clipped(kill.reason), wall_ns)


def is_of_press(latch: Latch, kill: Kill, wall_ns: int) -> bool:
    """Say whether a latch comes of this press."""
    is_recent = 0 <= wall_ns - latch.set_wall_ns <= SAME_PRESS_NS_MAX
    return is_recent and (latch.actor, latch.reason) == (kill.actor, clipped(kill.reason))
