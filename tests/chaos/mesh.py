"""The mesh of the chaos tests: the small services and the real overseer under a real supervisord, and their files."""

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from proto.codec import EnvelopeCodec
from proto.orders import PositionChanged
from services.supervision.mesh import Mesh
from shared.mesh.journal import Gap, JournalReader, RealDisk, journal_directory, mark_on
from shared.mesh.supervisor import Program
from tests.chaos.judge import Entry, History
from tests.chaos.testimony import AskedFor, GotAnswer, Ledger, Saw, WasTold
from tests.chaos.witness import FOLDER
from tests.services.supervision.harness import SmallMesh, eventually

SERVICES: Final = ("executor", "feed", "metrics", "recorder", "strategy")


def journal_of(root: Path) -> list[Entry]:
    """Read the server's journal; a hole in it is an entry that nobody asked for."""
    disk, codec = RealDisk(journal_directory(root / "var", "executor")), EnvelopeCodec()
    entries = []
    with closing(JournalReader(disk)) as reader:
        while found := reader.poll():
            for record in found:
                if isinstance(record, Gap):
                    entries.append(Entry(0, "a hole", ""))
                    continue
                envelope = codec.decode_stored(record.payload)
                assert isinstance(envelope.body, PositionChanged), "the server records nothing else"
                entries.append(Entry(envelope.sequence, envelope.cause_id, str(envelope.body.quantity)))
    return entries


class ChaosMesh(SmallMesh):
    """Five services, an overseer, a supervisord; and what they testified so far."""

    def __init__(self, root: Path) -> None:
        settings = {"directory": str(Path(__file__).parents[2])}
        changes = {
            instance: {"command": f'"{sys.executable}" -m tests.chaos.program {instance} --root {root}', **settings}
            for instance in SERVICES
        }
        super().__init__(root, dict.fromkeys(SERVICES, ""), changes, overseen=True)
        self.ledgers: Final = {instance: Ledger(root / FOLDER / f"{instance}.lines") for instance in SERVICES}

    def programs(self) -> dict[str, Program]:
        """Return what supervisord says."""
        with Mesh.of(self.root, {}).supervisor() as supervisor:
            return {program.name: program for program in supervisor.programs()}

    def stop(self, instance: str) -> None:
        """Have supervisord stop a program in order, and wait until it has."""
        with Mesh.of(self.root, {}).supervisor() as supervisor:
            supervisor.stop(instance)
        eventually(lambda: self.programs()[instance].state in {"STOPPED", "EXITED"})

    def answered(self) -> set[str]:
        """Return which requests have an answer."""
        return {line.said.ask_id for line in self.ledgers["strategy"].look() if isinstance(line.said, GotAnswer)}

    def asked(self) -> set[str]:
        """Return which requests were ever asked."""
        return {line.said.ask_id for line in self.ledgers["strategy"].look() if isinstance(line.said, AskedFor)}

    def told(self) -> int:
        """Return how far the follower is."""
        lines = reversed(self.ledgers["recorder"].look())
        return next((line.said.sequence for line in lines if isinstance(line.said, WasTold)), 0)

    def recorded(self) -> int:
        """Return how far the journal is."""
        mark = mark_on(RealDisk(journal_directory(self.root / "var", "executor")))
        return mark.sequence if mark is not None else 0

    def topics_seen_since(self, count: int) -> set[str]:
        """Return which topics the subscriber has seen since it had said so many lines."""
        return {line.said.topic for line in self.ledgers["metrics"].look()[count:] if isinstance(line.said, Saw)}

    def history(self) -> History:
        """Return everything for the judge."""
        lines = {instance: ledger.look() for instance, ledger in self.ledgers.items()}
        return History(lines, journal_of(self.root))

    def logs(self, instances: Sequence[str]) -> str:
        """Return the ends of these logs, for whoever has to find out what went wrong."""
        folder = self.root / "var/logs"
        return "\n".join(
            f"--- {name}\n" + "\n".join((folder / f"{name}.log").read_text().splitlines()[-12:]) for name in instances
        )
