"""Whether another process moves, by its heartbeats, and whether it was started from the same as risk. Pure."""

from collections import deque
from typing import Final

from proto.envelope import Envelope
from proto.health import Heartbeat, Hello
from services.risk_watchdog.core.terms import SECOND_NS, Likeness
from shared.core.booting import BOOT_NS
from shared.core.service import Moment

MOVES_NS_MAX: Final = 3 * SECOND_NS // 2
DEATHS: Final = 3
DEATHS_KEPT: Final = 16  # some may turn out to be none
DEATHS_WITHIN_NS: Final = 60 * SECOND_NS


class Peer:
    """One instance that risk listens to."""

    def __init__(self) -> None:
        self.epoch = 0
        self.troubles: tuple[str, ...] = ()  # what it is wary of
        self._handled = -1
        self._state = "booting"
        self._moved_ns = -1
        self._since_ns = 0  # what was said before counts for nothing
        self._patient_until_ns = 0
        self._hello: Hello | None = None
        self._money_config_digest: str | None = None
        self._deaths: Final[deque[tuple[int, int]]] = deque(maxlen=DEATHS_KEPT)  # of which epoch, and when we heard
        self._of_another: Final[deque[int]] = deque(maxlen=DEATHS_KEPT)

    def begin(self, now: Moment) -> None:
        """Give it the time to start in that we had."""
        self._patient_until_ns = now.boot_ns + BOOT_NS

    def stood_still(self, now: Moment) -> None:
        """Count its silence anew: while we stood still nobody could be heard."""
        self._since_ns = now.boot_ns

    @property
    def was_heard(self) -> bool:
        """Whether it was heard since we began."""
        return self.epoch > 0

    def was_another(self, epoch: int) -> None:
        """Count an epoch for nobody's life: another process held the role in it."""
        self._of_another.append(epoch)

    def heard(self, envelope: Envelope, now: Moment) -> None:
        """Take in a heartbeat, or who it is."""
        if envelope.epoch < self.epoch:
            return  # the last words of one that was replaced
        if envelope.epoch > self.epoch:
            if self.epoch:  # of lives that were too short to be heard of, how they ended is not known: as deaths
                first = max(self.epoch + (self._state == "draining"), envelope.epoch - DEATHS_KEPT)
                self._deaths.extend((epoch, now.boot_ns) for epoch in range(first, envelope.epoch))
            self.epoch, self._handled, self._hello = envelope.epoch, -1, None
        match envelope.body:
            case Hello() as hello:
                self._hello = hello
            case Heartbeat() as beat:
                self._beat(beat, said_ns(envelope, now), now)
            case _:
                pass

    def moves(self, now: Moment) -> bool:
        """Say whether it works, and has made progress within the last moments."""
        is_heard = self._moved_ns >= self._since_ns and now.boot_ns - self._moved_ns <= MOVES_NS_MAX
        return is_heard and self._state == "running"

    def silent_ns(self, now: Moment) -> int:
        """Return for how long it has been silent, 0 while it starts, and after it was stopped in order."""
        if self._state == "draining":
            return 0
        return max(now.boot_ns - max(self._moved_ns, self._since_ns, self._patient_until_ns), 0)

    def crashes_again_and_again(self, now: Moment) -> bool:
        """Say whether it has died three times within a minute."""
        deaths_ns = [at_ns for epoch, at_ns in self._deaths if epoch not in self._of_another]
        return sum(now.boot_ns - at_ns <= DEATHS_WITHIN_NS for at_ns in deaths_ns) >= DEATHS

    def difference(self, own: Likeness) -> str | None:
        """Say what it has that is not as ours, None while nothing of that kind was heard."""
        if self._money_config_digest not in {None, own.money_config_digest}:
            return "has other settings of money than risk"
        if self._hello is not None and self._hello.schema_digest != own.schema_digest:
            return "has other messages than risk"
        if self._hello is not None and self._hello.build_id != own.build_id:
            return "runs other sources than risk"
        return None

    def _beat(self, beat: Heartbeat, said_at_ns: int, now: Moment) -> None:
        if beat.handled > self._handled:
            self._handled, self._moved_ns = beat.handled, said_at_ns
        # Whoever runs has started, however much of its time was left.
        self._patient_until_ns = now.boot_ns + BOOT_NS if beat.state == "booting" else 0
        self._state, self._money_config_digest, self.troubles = beat.state, beat.money_config_digest, beat.troubles


def said_ns(envelope: Envelope, now: Moment) -> int:
    """Return when something was said, by our boot-time clock; what was said in another boot counts as said long ago."""
    return min(envelope.sent_boot_ns, now.boot_ns) if envelope.boot_id == now.boot_id else 0
