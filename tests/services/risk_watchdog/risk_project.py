"""Risk as a real process, with others around it, and a strategy and an operator who ask it."""

import subprocess
import sys
from typing import Final, Literal, Self

from proto.codec import EnvelopeCodec
from proto.envelope import Body, Envelope
from proto.fields import Role
from shared.mesh.journal import Gap, RealDisk, journal_directory
from shared.mesh.journal.reader import JournalReader
from tests.house.tree import CHECKOUT
from tests.services.asker import Asker
from tests.services.sim_exchange.exchange_process import ExchangeProject

RUNNING: Final = "running"


class RiskProject(ExchangeProject):
    """A project with risk in it."""

    def __init__(self) -> None:
        super().__init__()
        self._asker: Final = Asker(self.root)

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def start_risk(self) -> subprocess.Popen[str]:
        """Start risk, and wait until it can be asked."""
        return self._started("services.risk_watchdog", "--root", str(self.root))

    def start_around(self, program: Literal["feed", "executor", "killed", "killed-clearing"]) -> subprocess.Popen[str]:
        """Start one of the test's programs, and wait until it runs."""
        return self._started("tests.services.risk_watchdog.programs", str(self.root), program)

    def ask(self, role: Role, socket: str, body: Body, *, ask_id: str | None = None) -> Body | None:
        """Ask risk, as somebody of a role, under an id of its own if none is given; None is no answer."""
        return self._asker.ask(role, "risk", socket, body, ask_id=ask_id)

    def answered(self, role: Role, socket: str, body: Body) -> Body:
        """Ask risk, until it answers."""
        return self._asker.answered(role, "risk", socket, body)

    def records(self, role: Role = "risk") -> list[Envelope]:
        """Return what stands in a journal, risk's if nothing is said."""
        disk = RealDisk(journal_directory(self.root / "var", role))
        reader, codec = JournalReader(disk, from_sequence=1), EnvelopeCodec()
        try:
            entries = [entry for entries in iter(reader.poll, []) for entry in entries]
            return [codec.decode_stored(entry.payload) for entry in entries if not isinstance(entry, Gap)]
        finally:
            reader.close()

    def _started(self, module: str, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-m", module, *words]
        process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self._processes.append(process)
        self.says(process, RUNNING)
        return process
