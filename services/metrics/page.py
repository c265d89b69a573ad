"""The page for Prometheus, served over HTTP on this host alone.

No secret stands on it, and nothing can be done there: it answers GET, and refuses all else.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web
from prometheus_client.exposition import choose_encoder

from services.metrics.core.vocabulary import Gathered
from services.metrics.families import Families
from services.metrics.store import StoreCounts
from shared.mesh.service.plan import OutsideUnusableError

HOST: Final = "127.0.0.1"
GOODBYE_S: Final = 1.0
REQUEST_BYTES_MAX: Final = 16 * 1024


class Page:
    """What was gathered last, as text: made when somebody asks, and once for all who ask before there is more."""

    def __init__(self, counts: StoreCounts) -> None:
        self._counts: Final = counts
        self._gathered: Gathered | None = None
        self._made: Final[dict[str, bytes]] = {}

    def show(self, gathered: Gathered) -> None:
        """Show this from now on."""
        self._gathered = gathered
        self._made.clear()

    async def serve(self, port: int, on_open: Callable[[str], None]) -> None:
        """Serve until cancelled; say the address as soon as there is one."""
        application = web.Application(client_max_size=REQUEST_BYTES_MAX)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/health", _health)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=GOODBYE_S)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, HOST, port).start()
            except OSError as error:
                raise OutsideUnusableError(
                    f"port {port} of {HOST} cannot be had ({error.strerror}): end whoever has it, or choose another in "
                    "metrics.port"
                ) from error
            on_open(f"http://{HOST}:{port}/metrics")
            await asyncio.get_running_loop().create_future()
        finally:
            await runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        if self._gathered is None:
            raise web.HTTPServiceUnavailable(text="nothing is gathered yet: ask again in a second\n")
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        if content_type not in self._made:
            self._made[content_type] = encode(Families(self._gathered, self._counts))
        return web.Response(body=self._made[content_type], headers={"Content-Type": content_type})


async def _health(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")
