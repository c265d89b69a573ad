"""What can wait a moment: the answers and notes beside a record."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from shared.core.service import Answer, Effect, Note
from shared.mesh.bus.hub import Hub

PAUSE_SECONDS: Final = 0.002


class Afterwards:
    """Performs them a little after what comes of the record.

    Whoever an answer wakes, and the writing of a line of the log, take the processors that an approval or an order
    needs on its way just then.
    """

    def __init__(self, hub: Hub, perform: Callable[[Effect], None]) -> None:
        self._loop: Final = hub.loop
        self._perform: Final = perform
        self._waiting: Final[deque[Effect]] = deque()
        hub.before_closing(self._perform_all)

    def leave(self, effects: Sequence[Effect]) -> list[Effect]:
        """Keep what can wait, and return the rest."""
        waiting = [effect for effect in effects if isinstance(effect, Answer | Note)]
        if waiting and not self._waiting:
            self._loop.call_later(PAUSE_SECONDS, self._perform_all)
        self._waiting.extend(waiting)
        return [effect for effect in effects if not isinstance(effect, Answer | Note)]

    def _perform_all(self) -> None:
        while self._waiting:
            self._perform(self._waiting.popleft())
