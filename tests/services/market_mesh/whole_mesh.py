"""The whole mesh as `make demo` starts it, in directories of its own, at ports of its own."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
from redis.asyncio import Redis

from services.supervision.demo import variables_of_demo
from tests.house.tree import CHECKOUT
from tests.loopback import THIS_HOST, free_port

# Of this checkout, whichever the installed command belongs to.
BOWLINE: Final = (sys.executable, "-m", "services.cli")
PATIENCE_S: Final = 90  # only a test that fails waits so long
SYMBOL: Final = "BTC/USDT"


class WholeMesh:
    """Starts it, looks at it, kills parts of it, and ends it as a context."""

    def __init__(self) -> None:
        self.root: Final = Path(tempfile.mkdtemp(prefix="bw-"))
        self.port: Final = free_port(THIS_HOST)
        self.metrics_port: Final = free_port(THIS_HOST)
        self.environment: Final = {
            "PATH": os.environ["PATH"],
            "BOWLINE_PATHS__VAR_DIRECTORY": str(self.root / "var"),
            "BOWLINE_PATHS__RUN_DIRECTORY": str(self.root / "var/run"),
            "BOWLINE_METRICS__PORT": str(self.metrics_port),
            "BOWLINE_SIM_EXCHANGE__PORT": str(self.port),
            "BOWLINE_FEED__TIMEFRAMES": "1s,5s,1m",
            "BOWLINE_LOGS__FORMAT": "json",
        }

    def __enter__(self) -> Self:
        """Start everything."""
        self.verb("demo")
        return self

    def __exit__(self, *_: object) -> None:
        """End everything, what was stopped too, and see that whatever was traded meanwhile was traded as promised."""
        try:
            for process_id in self.process_ids().values():
                os.kill(process_id, signal.SIGCONT)
            self.verb("down")
            self.environment.update(variables_of_demo(CHECKOUT, self.environment))  # by whose limits it traded
            self.verb("verify", "--limits")
        finally:
            shutil.rmtree(self.root)

    def verb(self, *words: str) -> str:
        """Run a verb that must not fail, and return what it said."""
        done = self._run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def process_ids(self) -> dict[str, int]:
        """Return the process of each program that has one."""
        rows = json.loads(self._run("status", "--json").stdout)["processes"]
        return {row["instance"]: row["process_id"] for row in rows if row["process_id"]}

    def measured(self) -> dict[str, Any]:
        """Return what metrics says at this moment; nothing while it does not answer."""
        answer = self._run("watch", "--once", "--json").stdout
        found: dict[str, Any] = json.loads(answer) if answer else {}
        return found

    def symbol(self) -> dict[str, Any]:
        """Return what metrics says about a symbol."""
        found = [row for row in self.measured().get("symbols") or [] if row["symbol"] == SYMBOL]
        return found[0] if found else {}

    def is_fresh(self) -> bool:
        """Say whether prices flow, and are trusted, as far as metrics can see."""
        symbol = self.symbol()
        return bool(symbol) and symbol["link"] == "open" and not symbol["doubts"] and symbol["bid_price"] is not None

    async def until(self, holds: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
        """Wait until something holds, which a verb is asked for."""
        async with asyncio.timeout(patience_s):
            while not await asyncio.to_thread(holds):  # noqa: ASYNC110  # a state of other processes
                await asyncio.sleep(0.05)

    async def page(self) -> str:
        """Return the page for Prometheus."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer,
        ):
            assert answer.status == 200
            return await answer.text()

    def redis(self) -> Redis:
        """Return a connection to the mesh's Redis."""
        return Redis(unix_socket_path=str(self.root / "var/run/redis.sock"), decode_responses=True)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*BOWLINE, *words]
        return subprocess.run(
            command, env=self.environment, cwd=CHECKOUT, capture_output=True, encoding="utf-8", check=False
        )
