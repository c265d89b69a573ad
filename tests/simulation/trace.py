"""What happened in a run, line by line: for its hash, and for a person who wants to know why a seed failed."""

import hashlib
from typing import Final

from shared.core.service import Answer, Ask, Note
from shared.execution.vocabulary import InstrumentsKnown
from tests.simulation.scheduler import BOOTED_NS, SECOND_NS, Scheduler


class Trace:
    """The lines of a run, in the order in which things happened."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler: Final = scheduler
        self.lines: Final[list[str]] = []
        self.violations: Final[list[str]] = []

    def note(self, who: str, what: str) -> None:
        """Note what somebody did, or what became of it."""
        elapsed_ns = self._scheduler.now_ns - BOOTED_NS
        self.lines.append(f"{elapsed_ns / SECOND_NS:11.6f}  {who:<9} {what}")

    def violated(self, invariant: str, what: str) -> None:
        """Note that something is so that must never be so."""
        self.note("VIOLATED", f"{invariant}: {what}")
        self.violations.append(f"{invariant}: {what}")

    def digest(self) -> str:
        """Return the hash of everything that happened."""
        text = "\n".join((*self.lines, f"{self._scheduler.events} events"))
        return hashlib.sha256(text.encode()).hexdigest()


def words(thing: object) -> str:
    """Return a message or an effect in one line."""
    match thing:
        case InstrumentsKnown():
            return "InstrumentsKnown"
        case Answer(asked=asked, body=body):
            return f"answers {asked.instance}: {body!r}"
        case Ask(instance=instance, body=body):
            return f"asks {instance}: {body!r}"
        case Note(event=event, details=details):
            return f"notes {event}: {dict(details)}"
        case _:
            return repr(thing).replace("Decimal", "")
