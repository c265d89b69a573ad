"""How old a request may be when it comes, and again when it is about to be matched. Pure."""

from typing import Final

from services.sim_exchange.face.refusals import RefusalError, timestamp_ahead, timestamp_outside

WINDOW_MS_USUAL: Final = 5_000
WINDOW_MS_MAX: Final = 60_000
AHEAD_MS_MAX: Final = 1_000
# Since 2025 the venue takes microseconds as well; a number this large can be nothing else.
MICROSECONDS_MIN: Final = 10_000_000_000_000


class RecvWindow:
    """The time a request was made, and how long it is good for."""

    def __init__(self, *, timestamp: int, window_ms: int | None) -> None:
        self._timestamp_ms: Final = timestamp // 1_000 if timestamp >= MICROSECONDS_MIN else timestamp
        self._window_ms: Final = WINDOW_MS_USUAL if window_ms is None else window_ms
        if self._window_ms > WINDOW_MS_MAX:
            raise RefusalError(-1131, "recvWindow must be less than 60000.")

    def check_arrival(self, now_ms: int) -> None:
        """Refuse what is from the future or comes too late."""
        if self._timestamp_ms >= now_ms + AHEAD_MS_MAX:
            raise timestamp_ahead()
        self.check_matching(now_ms)

    def check_matching(self, now_ms: int) -> None:
        """Refuse what has waited too long."""
        if now_ms - self._timestamp_ms > self._window_ms:
            raise timestamp_outside()
