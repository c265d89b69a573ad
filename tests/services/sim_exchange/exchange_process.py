"""The exchange as a real process in a project of its own, started, killed and asked."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, Self, get_args

from proto.fields import Role
from services.sim_exchange.accounts_file import FILE
from services.sim_exchange.face.keys import ApiKey
from services.sim_exchange.process import FOLDER
from shared.mesh.bus.keys import create_keys
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.house.tree import CHECKOUT
from tests.loopback import free_port

PATIENCE_S: Final = 90  # only a test that fails waits so long
OPEN: Final = "the exchange is open"


class ExchangeProject:
    """A project with an exchange in it; it ends, with all of its processes, as a context."""

    def __init__(self) -> None:
        self.root: Final = Path(tempfile.mkdtemp(prefix="bw-"))
        self.port: Final = free_port()
        (self.root / "config").mkdir()
        shutil.copy(CHECKOUT / "config/bowline.yaml", self.root / "config")
        self.set(f"sim_exchange: {{port: {self.port}}}\nlogs: {{format: json}}\n")
        create_keys(PrivateDirectory(self.root / "var/keys"), get_args(Role))
        RunDirectory(self.root / "var/run")
        self._processes: Final[list[subprocess.Popen[str]]] = []

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs, and remove the folder."""
        for process in self._processes:
            process.kill()
            process.wait()
            assert process.stderr is not None
            process.stderr.close()
        shutil.rmtree(self.root)

    def set(self, local: str) -> None:
        """Write the local settings."""
        (self.root / "config/local.yaml").write_text(local)

    def spawn(self, *words: str) -> subprocess.Popen[str]:
        """Start the process, and do not wait for anything."""
        command = [sys.executable, "-m", "services.sim_exchange", "--root", str(self.root), *words]
        process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self._processes.append(process)
        return process

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the process, and wait until clients can come."""
        process = self.spawn(*words)
        self.says(process, OPEN)
        return process

    def says(self, process: subprocess.Popen[str], event: str, *, never: str = "") -> dict[str, Any]:
        """Read its log up to an event, and return that line; before it something may never have been said."""
        assert process.stderr is not None
        heard = []
        for line in process.stderr:
            heard.append(line)
            said: dict[str, Any] = json.loads(line)
            assert said["event"] != never, heard
            if said["event"] == event:
                return said
        raise AssertionError(f"it ended, and never said {event!r}: {heard}")

    def stop(self, process: subprocess.Popen[str]) -> int:
        """Ask it to end, and return its exit code."""
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
        return process.returncode

    def key(self, name: str = "executor") -> ApiKey:
        """Return one of the keys of the account that is there from the first start."""
        account = json.loads((self.root / "var" / FOLDER / FILE).read_text())[0]
        [key] = [key for key in account["keys"] if key["name"] == name]
        return ApiKey(key=key["key"], secret=key["secret"], account=account["account"], may_trade=key["may_trade"])
