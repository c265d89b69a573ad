"""The folder of a mesh that trades: its settings, keys, accounts and logs, and how each of its programs is started."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

from proto.fields import Role
from services.sim_exchange.process import FOLDER
from shared.mesh.bus.keys import create_keys
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.house.tree import CHECKOUT
from tests.loopback import THIS_HOST, free_port
from tests.trading.dying import PLACE_FILE
from tests.trading.other_hand import OtherHand

SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT")
SERVICES: Final = {"exchange": "services.sim_exchange", "metrics": "services.metrics", "redis": "services.redis_server"}
CALM, LIVELY = 100, 400  # percent of what prices usually do
SETTINGS: Final = """\
sim_exchange:
  {{port: {port}, admin: on, admin_port: {admin_port}, client_ids: {client_ids}, volatility_pct: {volatility}}}
venue: {{symbols: [{symbols}]}}
feed: {{timeframes: [1s]}}
executor:
  orders_a_minute_max: 600
  entries_a_minute_max: 100
  symbol_entries_a_minute_max: 100
  entries_a_minute_quote_max: 1000000
risk: {{profile: demo, exposure_pct: 60, position_pct: 15, position_quote_max: 60000, positions_max: 5}}
strategies: {{run: {strategies}}}
metrics: {{port: {metrics_port}}}
logs: {{format: json}}
"""


class TradingProject:
    """A project of its own, at ports of its own."""

    def __init__(self, strategy: str) -> None:
        self.root: Final = Path(tempfile.mkdtemp(prefix="bw-"))
        self.port: Final = free_port(THIS_HOST)
        self.admin_port: Final = free_port(THIS_HOST)
        self._metrics_port: Final = free_port(THIS_HOST)
        self._strategy: Final = strategy
        self.hours_behind = 0  # the wall clocks of what is started
        self._starts = 0
        self._endpoints: Final[dict[str, str]] = {}
        (self.root / "config").mkdir()
        shutil.copy(CHECKOUT / "config/bowline.yaml", self.root / "config")
        self.set_client_ids("open")
        create_keys(PrivateDirectory(self.root / "var/keys"), (*get_args(Role), "feed"))
        RunDirectory(self.root / "var/run")
        (self.root / "var/logs").mkdir()
        self.other_hand: Final = OtherHand(PrivateDirectory(self.root / "var" / FOLDER))

    def set_client_ids(self, rule: str) -> None:
        """Choose how long the exchange takes no other order with the same client id; it counts from its next start."""
        settings = SETTINGS.format(
            port=self.port,
            admin_port=self.admin_port,
            metrics_port=self._metrics_port,
            client_ids=rule,
            symbols=", ".join(SYMBOLS),
            volatility=LIVELY if self._strategy else CALM,
            strategies=f"['{self._strategy}']" if self._strategy else "[]",
        )
        (self.root / "config/local.yaml").write_text(settings)

    def set_endpoints(self, instance: str, endpoints: str) -> None:
        """Choose where a program finds the sockets of others, from its next start on."""
        self._endpoints[instance] = endpoints

    def spawn(self, instance: str) -> subprocess.Popen[bytes]:
        """Start a program; what it says goes into a file of its own."""
        self._starts += 1
        file = self.root / f"var/logs/{instance}-{self._starts:04}.log"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("BOWLINE_")}
        if instance in self._endpoints:
            ours["BOWLINE_MESH__ENDPOINTS"] = self._endpoints[instance]
        with file.open("wb") as log:
            return subprocess.Popen(self._command(instance), cwd=CHECKOUT, stdout=log, stderr=log, env=ours)

    def place_file(self, instance: str) -> Path:
        """Return the file that says where a program shall die."""
        return self.root / PLACE_FILE.format(instance)

    def events(self, instance: str) -> list[str]:
        """Return what the newest process of a program has said so far."""
        lines = self._log_file(instance).read_text().splitlines(keepends=True)
        return [json.loads(line)["event"] for line in lines if line.startswith("{") and line.endswith("\n")]

    def log_of(self, instance: str, lines_max: int = 40) -> str:
        """Return the end of what the newest process of a program said, for the message of a failing test."""
        lines = self._log_file(instance).read_text().splitlines()
        return "\n".join([f"what {instance} said last:", *lines[-lines_max:]])

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.root)

    def _command(self, instance: str) -> Sequence[str]:
        if instance in SERVICES:
            words = [SERVICES[instance], "--root", str(self.root)]
        elif instance == "feed":
            words = ["services.feed_handler", instance, "--root", str(self.root)]
        else:
            words = ["tests.trading.dying", str(self.root), instance]
        behind = ["tests.trading.earlier", str(self.hours_behind)] if self.hours_behind else []
        return [sys.executable, "-m", *behind, *words]

    def _log_file(self, instance: str) -> Path:
        return max(self.root.glob(f"var/logs/{instance}-[0-9]*.log"))
