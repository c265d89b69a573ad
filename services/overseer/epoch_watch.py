"""Whether epochs only grow, as the heartbeats tell. Pure.

A lower one means that the files in the directory of the seats are gone, or that an old copy was put back: what the
instance says now can then be taken for something it said before.
"""

from collections.abc import Sequence
from typing import Final

from shared.core.service import Note


class EpochWatch:
    """The highest epoch of each instance, and the last one that was complained about."""

    def __init__(self) -> None:
        self._highest: Final[dict[str, int]] = {}
        self._heard_ns: Final[dict[str, int]] = {}
        self._complained: Final[dict[str, int]] = {}

    def highest(self, instance: str) -> int:
        """Return the highest epoch known, 0 for none."""
        return self._highest.get(instance, 0)

    def hear(self, instance: str, epoch: int, sent_boot_ns: int) -> tuple[bool, Sequence[Note]]:
        """Take in an epoch; tell whether it is news, and what is to be said about it.

        What an earlier run said may arrive after what the next one said, and is passed over.
        """
        if sent_boot_ns < self._heard_ns.get(instance, 0):
            return False, ()
        self._heard_ns[instance] = sent_boot_ns
        highest = self.highest(instance)
        if epoch > highest:
            self._highest[instance] = epoch
            return True, ()
        if epoch == highest or self._complained.get(instance) == epoch:
            return False, ()
        self._complained[instance] = epoch
        details = {
            "instance": instance,
            "epoch_now": epoch,
            "epoch_before": highest,
            "advice": "the files in var/seats were removed, or an old copy put back: `bowline down`, put the newest "
            "copy back or remove var/overseer to begin anew, `bowline up`",
        }
        return False, (Note("critical", "an epoch is lower than before", details),)
