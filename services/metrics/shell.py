"""The hands of metrics: the page for Prometheus, Redis, and a webhook. None can hold up what is gathered."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from random import Random
from typing import Final

from pydantic import SecretStr

from services.metrics.core.vocabulary import Gathered, PageServed, PostAlert
from services.metrics.page import Page
from services.metrics.store import Store, StoreCounts
from services.metrics.webhook import Webhook
from shared.core.service import FromOutside, Outward
from shared.mesh.redis_place import NoRedis, RedisPlace
from shared.mesh.settings.doors import Door


class MetricsShell:
    """Shows what was gathered, in both places, and posts alerts if there is somewhere to."""

    def __init__(self, *, door: Door, place: RedisPlace, webhook: SecretStr | None) -> None:
        self._webhook_place: Final = webhook
        self._webhook: Webhook | None = None
        self._door: Final = door
        self._place: Final = place
        self._tasks: Final[list[asyncio.Task[None]]] = []
        self._store: Store | None = None
        self._page: Page | None = None

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Open the page, and begin to write."""
        counts = StoreCounts()
        self._page = Page(counts)
        self._start(self._page.serve(self._door, lambda address: bring(PageServed(address))))
        chance = Random(os.getpid())  # noqa: S311 -- it spreads attempts, and keeps no secret
        if self._webhook_place is not None:
            self._webhook = Webhook(self._webhook_place, tell=bring, random=chance)
            self._start(self._webhook.post_for_ever())
        if not isinstance(self._place, NoRedis):
            self._store = Store(self._place, tell=bring, random=chance, counts=counts)
            self._start(self._store.write_for_ever())

    def perform(self, effect: Outward) -> None:
        """Show what was gathered, or have an alert posted."""
        if isinstance(effect, PostAlert):
            assert self._webhook is not None, "the core follows no alerts where there is no webhook"
            self._webhook.offer(effect)
            return
        assert isinstance(effect, Gathered), "the core wants nothing else"
        assert self._page is not None, "nothing is gathered before the outside is open"
        self._page.show(effect)
        if self._store is not None:
            self._store.offer(effect.measures)

    def close(self) -> None:
        """Shut the page, and let Redis and the webhook go."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_look_at)
        self._tasks.append(task)


def _look_at(task: asyncio.Task[None]) -> None:
    """Hand to the loop what a task raised: the process ends with it."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        task.get_loop().call_exception_handler({"message": "a task failed", "exception": error, "task": task})
