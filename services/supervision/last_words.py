"""What programs say while a verb waits for them: a log on disk goes back to runs that are long over."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from services.supervision.log_file import LogFile, last_lines
from services.supervision.mesh import Mesh


class LastWords:
    """Knows where each log ended when it was made."""

    def __init__(self, mesh: Mesh, instances: Iterable[str]) -> None:
        self._logs: Final = {name: LogFile(name, mesh.log(name)) for name in instances}
        for log in self._logs.values():
            log.open()

    def of(self, instance: str, count: int) -> Sequence[str]:
        """Return the last lines of a program since then or since it was asked for, none of one that is not known."""
        log = self._logs.get(instance)
        return () if log is None else last_lines(log.added(), count)

    def close(self) -> None:
        """Let the files go."""
        for log in self._logs.values():
            log.close()


def complaint_in(lines: Sequence[str]) -> str:
    """Return what was said last of what wants a person, empty where nothing was, or not as JSON."""
    for line in reversed(lines):
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and said.get("level") == "critical" and "reason" in said:
            return f"{said.get('event')}: {said['reason']}"
    return ""
