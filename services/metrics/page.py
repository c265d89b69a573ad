"""The page for Prometheus, served over HTTP on this host alone.

No secret stands on it, and nothing can be done there: it answers GET, and refuses all else.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.exposition import generate_latest as as_plain_text
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE_OPENMETRICS
from prometheus_client.openmetrics.exposition import generate_latest as as_openmetrics

from services.metrics.core.vocabulary import Gathered
from services.metrics.families import Families
from services.metrics.store import StoreCounts
from shared.mesh.service.plan import OutsideUnusableError
from shared.mesh.settings.doors import HOST, Door

GOODBYE_S: Final = 1.0
REQUEST_BYTES_MAX: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Form:
    """A form in which the page can be had. There are two, whatever versions a client names."""

    name: str
    content_type: str
    encode: Callable[[Families], bytes]


PLAIN: Final = Form("text/plain", CONTENT_TYPE_PLAIN_0_0_4, as_plain_text)
OPENMETRICS: Final = Form("application/openmetrics-text", CONTENT_TYPE_OPENMETRICS, as_openmetrics)


class Page:
    """What was gathered last, as text: made when somebody asks, and once for all who ask before there is more."""

    def __init__(self, counts: StoreCounts) -> None:
        self._counts: Final = counts
        self._gathered: Gathered | None = None
        self._made: Final[dict[str, tuple[Gathered, bytes]]] = {}
        self._making: Final = asyncio.Lock()

    def show(self, gathered: Gathered) -> None:
        """Show this from now on."""
        self._gathered = gathered

    async def serve(self, door: Door, on_open: Callable[[str], None]) -> None:
        """Serve until cancelled; say the address as soon as there is one."""
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/health", _health)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=GOODBYE_S)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, HOST, door.port).start()
            except OSError as error:
                raise OutsideUnusableError(door.fault(error)) from error
            on_open(f"{door.address}/metrics")
            await asyncio.get_running_loop().create_future()
        finally:
            await runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        async with self._making:
            gathered = self._gathered
            if gathered is None:
                raise web.HTTPServiceUnavailable(text="nothing is gathered yet: ask again in a second\n")
            form = OPENMETRICS if OPENMETRICS.name in request.headers.get("Accept", "") else PLAIN
            made = self._made.get(form.name)
            if made is None or made[0] is not gathered:
                # Full to its bounds it takes a tenth of a second: the loop goes on beside it.
                families = Families(gathered, self._counts.copy())
                made = self._made[form.name] = (gathered, await asyncio.to_thread(form.encode, families))
        return web.Response(body=made[1], headers={"Content-Type": form.content_type})


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
