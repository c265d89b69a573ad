"""Whether another process moves, by its heartbeats. Pure."""

from typing import Final

from proto.envelope import Envelope
from proto.health import Heartbeat
from shared.core.service import Moment

SECOND_NS: Final = 1_000_000_000


class Peer:
    """One instance that the flattener listens to."""

    def __init__(self) -> None:
        self.state = "booting"
        # Since we began, or it did: who never was may be one that we cannot hear, and has more time.
        self.was_heard = False
        self.epoch = 0
        self._handled = self._step = -1
        self._moved_ns = self._stepped_ns = 0

    def begin(self, now: Moment) -> None:
        """Count from here: it may begin now, and has the time for that."""
        self.state, self.was_heard = "booting", False
        self.stood_still(now)

    def stood_still(self, now: Moment) -> None:
        """Count its silence anew: while we stood still nobody could be heard."""
        self._moved_ns = self._stepped_ns = now.boot_ns

    def heard(self, envelope: Envelope, now: Moment) -> bool:
        """Take in a heartbeat, and say whether it has made progress."""
        beat = envelope.body
        if not isinstance(beat, Heartbeat) or envelope.epoch < self.epoch:
            return False  # the last words of one that was replaced
        if envelope.epoch > self.epoch:
            self.epoch, self._handled, self._step = envelope.epoch, -1, -1
        said_ns = min(envelope.sent_boot_ns, now.boot_ns) if envelope.boot_id == now.boot_id else 0
        if has_moved := beat.handled > self._handled:
            self._handled, self._moved_ns = beat.handled, max(self._moved_ns, said_ns)
        if beat.flatten_step != self._step:
            self._step, self._stepped_ns = beat.flatten_step, max(self._stepped_ns, said_ns)
        self.state, self.was_heard = beat.state, True
        return has_moved

    def silent_ns(self, now: Moment) -> int:
        """Return for how long it has made no progress."""
        return now.boot_ns - self._moved_ns

    def stepless_ns(self, now: Moment) -> int:
        """Return for how long its flattening has made none."""
        return now.boot_ns - self._stepped_ns
