"""Posts alerts to somebody's webhook, one after the other, for as long as it takes; nothing ever waits for it.

What is posted is a JSON object: {"id", "level", "name", "text", "at"}. An alert may come twice, under the same id. The
address may be a secret: whatever is told of its troubles is in words of our own.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Final

import aiohttp
from pydantic import SecretStr

from services.metrics.core.vocabulary import AlertLost, PostAlert, WebhookChanged
from shared.core.service import FromOutside
from shared.mesh.backoff import Backoff

WAITING_MAX: Final = 100
# Who refuses an alert so often will refuse it for ever; who does not answer is tried for as long as it takes.
REFUSALS_MAX: Final = 3
_TAKEN: Final = range(200, 300)
_REFUSED: Final = range(300, 500)  # redirects too: nobody sends our alerts on to somewhere else
_LATER: Final = frozenset({408, 425, 429})

Tell = Callable[[FromOutside], None]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for an answer, and between two attempts: at first at most so long, and at last."""

    answer_seconds: float = 10.0
    pause_first_seconds: float = 1.0
    pause_longest_seconds: float = 60.0


PATIENT: Final = Patience()


class Webhook:
    """The alerts that wait, oldest first. When too many do, the oldest is dropped, and that is told."""

    def __init__(self, address: SecretStr, *, tell: Tell, random: Random, patience: Patience = PATIENT) -> None:
        self._address: Final = address
        self._tell: Final = tell
        self._answer_seconds: Final = patience.answer_seconds
        self._backoff: Final = Backoff(
            first_seconds=patience.pause_first_seconds, longest_seconds=patience.pause_longest_seconds, draws=random
        )
        self._waiting: Final[deque[PostAlert]] = deque()
        self._offered: Final = asyncio.Event()
        self._trouble: str | None = None

    def offer(self, alert: PostAlert) -> None:
        """Have this posted when its turn comes."""
        if len(self._waiting) == WAITING_MAX:
            self._lose(self._waiting[0], f"{WAITING_MAX} younger ones wait")
        self._waiting.append(alert)
        self._offered.set()

    async def post_for_ever(self) -> None:
        """Post whatever is offered, until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._answer_seconds)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            while True:
                while not self._waiting:
                    self._offered.clear()
                    await self._offered.wait()
                await self._post_until_done(session, self._waiting[0])

    async def _post_until_done(self, session: aiohttp.ClientSession, alert: PostAlert) -> None:
        """Post one until it is taken, or refused too often, or dropped for others."""
        refusals = 0
        while self._waiting and self._waiting[0] is alert:
            trouble, is_refused = await self._posted(session, alert)
            self._become(trouble)
            if trouble is None:
                self._backoff.reset()
                self._forget(alert)
                return
            refusals += is_refused
            if refusals == REFUSALS_MAX:
                self._lose(alert, trouble)
                return
            await asyncio.sleep(self._backoff.next_seconds())

    async def _posted(self, session: aiohttp.ClientSession, alert: PostAlert) -> tuple[str | None, bool]:
        """Post it once; return what went wrong, None if nothing did, and whether that was said by whoever reads it."""
        headers = {"Content-Type": "application/json"}
        try:
            async with session.post(
                self._address.get_secret_value(), data=_content(alert), headers=headers, allow_redirects=False
            ) as response:
                status = response.status
        except TimeoutError:
            return f"no answer within {self._answer_seconds:g} s", False
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return f"it cannot be reached ({type(error).__name__})", False
        if status in _TAKEN:
            return None, False
        return f"it answers {status}", status in _REFUSED and status not in _LATER

    def _forget(self, alert: PostAlert) -> None:
        if self._waiting and self._waiting[0] is alert:
            self._waiting.popleft()

    def _lose(self, alert: PostAlert, why: str) -> None:
        self._forget(alert)
        self._tell(AlertLost(alert.alert_id, alert.name, why))

    def _become(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._tell(WebhookChanged(trouble))


def _content(alert: PostAlert) -> bytes:
    at = datetime.fromtimestamp(alert.at_wall_ns / 1e9, UTC).isoformat(timespec="milliseconds")
    told = {"id": alert.alert_id, "level": alert.level, "name": alert.name, "text": alert.text, "at": at}
    return json.dumps(told).encode()
