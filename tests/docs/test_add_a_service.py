"""The service that the documentation shows runs as a process of the mesh."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from proto.health import Heartbeat
from shared.mesh.bus.keys import create_keys
from shared.mesh.bus.latest import Announcer, Listener
from shared.mesh.private_directory import PrivateDirectory
from tests.house.tree import CHECKOUT
from tests.shared.mesh.bus.conftest import PATIENCE_SECONDS, Mesh
from tests.shared.mesh.bus.test_latest import a_heartbeat

PAGE = CHECKOUT / "docs" / "how-to" / "add-a-service.md"
FILE = re.compile(r"`services/guard/(\w+\.py)`:\n\n```python\n(.*?)```", re.DOTALL)
LINES_MAX = 45

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


async def test_the_service_on_the_page_runs(
    mesh: Mesh, run_directory: Path, tmp_path: Path, eventually: Eventually
) -> None:
    """Its files are taken from the page: its heart beats, it says who fell silent, and ends in order on SIGTERM."""
    write_service(tmp_path / "guard")
    create_keys(PrivateDirectory(run_directory / "keys"), ["metrics-guard"])
    operator, overseer = mesh.process("operator"), mesh.process("overseer")
    health = Announcer(hub=overseer.hub, name="health", sender=overseer.sender, codec=overseer.codec)
    beats: list[Heartbeat] = []
    Listener(
        hub=operator.hub,
        instance="metrics-guard",
        name="health",
        codec=operator.codec,
        on_envelope=lambda envelope: beats.append(envelope.body) if isinstance(envelope.body, Heartbeat) else None,
    )
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{tmp_path}:{CHECKOUT}",
        "BOWLINE_PATHS__VAR_DIRECTORY": str(run_directory),
        "BOWLINE_PATHS__RUN_DIRECTORY": str(run_directory),
        "BOWLINE_LOGS__FORMAT": "json",
    }
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "-m", "guard", env=environment, stderr=errors
        )
    try:
        await eventually(lambda: len(beats) > 2)
        await eventually(lambda: "nothing is heard" in log.read_text())

        def heard_again() -> bool:
            health.say(a_heartbeat(1))
            return "heard again" in log.read_text()

        await eventually(heard_again)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE_SECONDS) == 0, log.read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    moves = [beat.handled for beat in beats if beat.state != "draining"]  # that it drains is said at once, between two
    assert moves == sorted(set(moves))


def write_service(package: Path) -> None:
    """Write the files of the page, under another name than `services`, which is taken."""
    package.mkdir()
    (package / "__init__.py").touch()
    files = dict(FILE.findall(PAGE.read_text(encoding="utf-8")))
    assert files.keys() == {"core.py", "__main__.py"}
    assert len(files["core.py"].splitlines()) <= LINES_MAX, "the example is to be read at a glance"
    for name, text in files.items():
        (package / name).write_text(text.replace("services.guard", "guard"), encoding="utf-8")
