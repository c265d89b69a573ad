"""The feed-handler as a real process, reading the simulated exchange, and somebody who reads the feed-handler."""

import signal
import subprocess
import sys
from typing import Any, Final, Self

from shared.mesh.bus.keys import create_keys
from shared.mesh.private_directory import PrivateDirectory
from tests.house.tree import CHECKOUT
from tests.loopback import free_port
from tests.services.feed_handler.truth import aggregates
from tests.services.sim_exchange.admin import ExchangeAdmin
from tests.services.sim_exchange.exchange_process import PATIENCE_S, ExchangeProject

RUNNING: Final = "running"


class FeedProject(ExchangeProject):
    """A project with an exchange and a feed in it."""

    def __init__(self, *, symbols: str = "[BTC/USDT, ETH/USDT]", feed: str = "timeframes: [1s, 1m]") -> None:
        super().__init__()
        self.admin_port: Final = free_port()
        self._admin: Final = ExchangeAdmin(self.root, self.admin_port)
        self.set(
            f"sim_exchange: {{port: {self.port}, admin: on, admin_port: {self.admin_port}}}\n"
            f"venue: {{url: 'http://127.0.0.1:{self.port}', symbols: {symbols}}}\n"
            f"feed: {{{feed}}}\nlogs: {{format: json}}\n"
        )

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def start_feed(self, instance: str = "feed") -> subprocess.Popen[str]:
        """Start a feed, and wait until it runs."""
        create_keys(PrivateDirectory(self.root / "var/keys"), [instance])
        return self._start_service("feed_handler", instance)

    def start_metrics(self) -> subprocess.Popen[str]:
        """Start metrics, and wait until it runs."""
        return self._start_service("metrics")

    def _start_service(self, name: str, *words: str) -> subprocess.Popen[str]:
        process = self._begin_service(name, *words)
        self.says(process, RUNNING)
        return process

    def _begin_service(self, name: str, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"services.{name}", *words, "--root", str(self.root)]
        process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self._processes.append(process)
        return process

    def fault(self, **fault: object) -> str:
        """Have the exchange fail, and return the name of the fault."""
        return self._admin.fault(**fault)

    def fired(self, name: str) -> int:
        """Return how often a fault has struck."""
        return self._admin.fired(name)

    def end_fault(self, name: str) -> None:
        """Let the exchange behave again."""
        self._admin.end_fault(name)

    def end_faults(self) -> None:
        """Let the exchange behave again altogether."""
        self._admin.end_faults()

    def aggregates(self, symbol: str) -> list[dict[str, Any]]:
        """Return every trade that the exchange remembers, as it tells them."""
        return aggregates(self.port, symbol)


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as kill -9 does."""
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=PATIENCE_S)
