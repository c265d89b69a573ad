"""A mesh of small programs under a real supervisord, in a folder of its own, with the settings of the real file."""

import importlib
import io
import json
import os
import re
import select
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from services.cli import VERBS
from shared.mesh.verb import Streams
from tests.house.tree import CHECKOUT
from tests.loopback import THIS_HOST, free_port

PATIENCE_S: Final = 90  # only a test that fails waits so long
PAUSE_MS: Final = 20
CONF: Final = (CHECKOUT / "supervisord.conf").read_text(encoding="utf-8")
# For a program that cannot go on: on a busy machine it takes it a while to say so, and that is no start that succeeded.
ENDS_TOO_SOON: Final = {"startsecs": "60", "startretries": "1"}
HEAD: Final = CONF.partition("\n[program:")[0]  # everything but the programs that trade and look on
OVERSEER: Final = r"\[eventlistener:overseer\]\n(?:.+\n)+"


def overseen_by_us(root: Path) -> str:
    """Return the file's head with the overseer of this checkout, told to look at that folder."""
    command = f'command="{sys.executable}" -m services.overseer --root {root}\n'
    block = re.search(OVERSEER, HEAD)
    assert block is not None
    ours = re.sub(r"command=.*\n", command, block[0]).replace("directory=%(here)s", f"directory={CHECKOUT}")
    return HEAD.replace(block[0], ours)


def program(instance: str) -> dict[str, str]:
    """Return the settings of a program in the file."""
    block = CONF.partition(f"\n[program:{instance}]\n")[2].partition("\n\n")[0]
    return dict(line.split("=", 1) for line in block.splitlines())


def block_for(root: Path, instance: str, conduct: str, changes: Mapping[str, str]) -> str:
    """Return what a new program adds to the file: the block of the feed, with another name and another command."""
    settings = {name: value.replace("/feed.log", f"/{instance}.log") for name, value in program("feed").items()}
    settings["command"] = f'"{sys.executable}" -m tests.services.supervision.program {root} {instance} {conduct}'
    settings["directory"] = str(CHECKOUT)
    return "".join(
        [f"\n[program:{instance}]\n", *(f"{name}={value}\n" for name, value in {**settings, **changes}.items())]
    )


@dataclass(frozen=True)
class Answer:
    """What a verb said, and how it ended."""

    code: int
    output: str
    errors: str

    @property
    def everything(self) -> str:
        """Return both streams, for the message of a failing test."""
        return f"code {self.code}\n{self.output}{self.errors}"


class SmallMesh:
    """A project with programs of the tests, and the verbs run against it."""

    def __init__(
        self, root: Path, programs: Mapping[str, str], changes: Mapping[str, Mapping[str, str]], *, overseen: bool
    ) -> None:
        self.root: Final = root
        (root / "config").mkdir()
        shipped = (CHECKOUT / "config/bowline.yaml").read_text(encoding="utf-8")
        # Whatever else runs on this machine: the ports of these meshes are their own.
        ports = re.sub(r"^  port: \d+", lambda _: f"  port: {free_port(THIS_HOST)}", shipped, flags=re.MULTILINE)
        (root / "config/bowline.yaml").write_text(ports, encoding="utf-8")
        shutil.copy(CHECKOUT / "config/demo.yaml", root / "config")
        head = overseen_by_us(root) if overseen else re.sub(OVERSEER, "", HEAD)
        blocks = [
            block_for(root, instance, conduct, changes.get(instance, {})) for instance, conduct in programs.items()
        ]
        (root / "supervisord.conf").write_text("".join([head, *blocks]))

    def run(self, verb: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Answer:
        """Run a verb as the command line does, in this process."""
        output, errors = io.StringIO(), io.StringIO()
        module = cast("Any", importlib.import_module(VERBS[verb].module))
        argv = [*arguments, "--root", str(self.root)]
        code = module.run(argv, environment=environment or {}, streams=Streams(output, errors))
        return Answer(code, output.getvalue(), errors.getvalue())

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return what `status --json` says, by instance and state where there are two."""
        rows = json.loads(self.run("status", "--json").output)["processes"]
        instances = [row["instance"] for row in rows]
        return {
            row["instance"] if instances.count(row["instance"]) == 1 else f"{row['instance']} {row['state']}": row
            for row in rows
        }

    def process_ids(self) -> dict[str, int]:
        """Return the process of each row."""
        return {name: row["process_id"] for name, row in self.rows().items()}

    def supervisor_id(self) -> int:
        """Return the process number of supervisord, from its file."""
        return int((self.root / "var/run/supervisord.pid").read_text())

    def logged(self, instance: str) -> list[dict[str, Any]]:
        """Return what a process that logs as services do has said so far."""
        lines = (self.root / f"var/logs/{instance}.log").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def witnessed(self) -> list[tuple[str, str]]:
        """Return who took and left which seat, in order."""
        lines = (self.root / "witness").read_text().splitlines()
        return [(word, instance) for word, instance, _ in (line.rsplit(" ", 2) for line in lines)]

    def kill(self, process_id: int) -> None:
        """Kill a process as kill -9 does, and wait until it is dead."""
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(process_id)
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            assert poll.poll(PATIENCE_S * 1_000)
            os.close(handle)

    def leave(self) -> None:
        """Kill whatever of this mesh still lives: what has its folder on the command line, supervisord first."""
        for _ in range(2):  # the second for what supervisord was just starting
            for process_id in self._living():
                self.kill(process_id)
        shutil.rmtree(self.root)

    def _living(self) -> list[int]:
        found = {}
        for directory in Path("/proc").iterdir():
            if directory.name.isdigit():
                with suppress(OSError):
                    found[int(directory.name)] = (directory / "cmdline").read_bytes()
        mine = {number: line for number, line in found.items() if os.fsencode(self.root) in line}
        return sorted(mine, key=lambda number: b"supervisord" not in mine[number])


def eventually(holds: Callable[[], object]) -> None:
    """Look until something holds."""
    for _ in range(PATIENCE_S * 1_000 // PAUSE_MS):
        if holds():
            return
        select.poll().poll(PAUSE_MS)
    raise AssertionError("it never came to that")
