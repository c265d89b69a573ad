"""Starts a service that has a journal on a disk that is full. Run by a test inside a mount of its own, in TMPDIR."""

import os
import sys
import tempfile
from pathlib import Path

from proto.control import ControlRefused
from tests.shared.mesh.journal.journals import durable_bytes
from tests.shared.mesh.service.running import Project, Running


def main() -> None:
    """Have it killed while the disk is full, started again, stopped in order, and started once there is room."""
    with Project() as project:
        first = project.start()
        first.says("running")
        project.pause("request-1")
        first.kill()
        filling = Path(tempfile.gettempdir()) / "filling"
        # The next life begins by giving back the room that this one had taken ahead: that is taken as well.
        os.truncate(max(project.journal.glob("[0-9]*")), durable_bytes(project.journal))
        _fill(filling)
        second = project.start()
        _say("full", second)
        answer = project.pause("request-2")
        assert isinstance(answer, ControlRefused)
        sys.stdout.write(f"refused: {answer.rule}\n")
        sys.stdout.write(f"stopped: {second.stop()}\n")
        filling.unlink()
        _say("room again", project.start())


def _say(when: str, running: Running) -> None:
    folded = running.says("folded")
    sys.stdout.write(f"{when}: epoch {folded['epoch']}, knows {folded['state']}, {folded['troubles']}\n")


def _fill(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for size in (65_536, 1):
        try:
            while os.write(descriptor, b"x" * size):
                pass
        except OSError:
            continue
    os.close(descriptor)


if __name__ == "__main__":
    main()
