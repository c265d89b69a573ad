"""Who sent so much that is no lawful request that nobody listens to it for a while.

One defective or hostile peer must not cost the others their answers. libzmq cannot disconnect a single peer of a
ROUTER, so what it sends is read and dropped, unjudged. Only admitted keys have a name, so there are no more than those.
"""

from collections import deque
from typing import Final

OFFENCES_MAX: Final = 10
OFFENCES_WITHIN_NS: Final = 1_000_000_000
IGNORED_FOR_NS: Final = 60 * 1_000_000_000


class Offenders:
    """Counts the offences of each instance at one socket."""

    def __init__(self) -> None:
        self._offences: Final[dict[str, deque[int]]] = {}
        self._ignored_until_ns: Final[dict[str, int]] = {}

    def ignores(self, instance: str, now_ns: int) -> bool:
        """Tell whether what this instance says is to be dropped."""
        until_ns = self._ignored_until_ns.get(instance)
        if until_ns is None:
            return False
        if now_ns < until_ns:
            return True
        del self._ignored_until_ns[instance]
        return False

    def offended(self, instance: str, now_ns: int) -> bool:
        """Count an offence, and tell whether it was the one too many."""
        offences = self._offences.setdefault(instance, deque(maxlen=OFFENCES_MAX))
        if len(offences) == OFFENCES_MAX and now_ns - offences[0] < OFFENCES_WITHIN_NS:
            self._ignored_until_ns[instance] = now_ns + IGNORED_FOR_NS
            return True
        offences.append(now_ns)
        return False
