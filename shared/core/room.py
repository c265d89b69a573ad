"""What whoever asks is answered where the journal has no room for it. Pure."""

from typing import Final

from proto.control import ControlRefused
from proto.fields import clipped
from shared.core.service import Answer, Asked

HAS_ROOM: Final = "journal_has_room"


def not_done(asked: Asked, reason: str) -> Answer:
    """Answer that an act was not done."""
    words = f"nothing was done: {reason}; make room on the disk, and do it again"
    return Answer(asked, ControlRefused(HAS_ROOM, clipped(words)))


def holds_unwritten(asked: Asked, reason: str) -> Answer:
    """Answer that the kill latch holds, though it could not be written down."""
    words = f"it holds, in memory and by the HALT file, but is not in the journal: {reason}; make room on the disk"
    return Answer(asked, ControlRefused(HAS_ROOM, clipped(words)))
