"""supervisord's event listener protocol: what its lines mean, and what it wants to hear. Pure.

The listener says READY, gets a header line and a body of the length that the header names, and answers with a result;
then the same again. Whatever else it wrote to its standard output would end the conversation.
"""

from typing import Final

from services.overseer.core import ProgramChanged

READY: Final = b"READY\n"
BODY_BYTES_MAX: Final = 65_536
DONE: Final = b"RESULT 2\nOK"
_STATE: Final = "PROCESS_STATE_"


class NotSupervisorError(Exception):
    """What came is not supervisord's protocol: the program was not started by supervisord."""


def fields_of(line: str) -> dict[str, str]:
    """Return the fields of a header or a body."""
    pairs = [part.partition(":") for part in line.split()]
    if not pairs or not all(colon for _, colon, _ in pairs):
        raise NotSupervisorError(f"{line[:80]!r} is no line of supervisord's: it starts this program by itself")
    return {name: value for name, _, value in pairs}


def body_length(header: dict[str, str]) -> int:
    """Return how many bytes follow the header."""
    length = header.get("len", "")
    if not (length.isascii() and length.isdigit()):
        raise NotSupervisorError(f"the header has no length: {header}")
    if int(length) > BODY_BYTES_MAX:
        raise NotSupervisorError(f"the header announces {length} bytes, and {BODY_BYTES_MAX} is more than enough")
    return int(length)


def change_in(header: dict[str, str], body: str) -> ProgramChanged | None:
    """Return what an event means, None for one that means nothing to us."""
    name = header.get("eventname", "")
    if not name.startswith(_STATE):
        return None
    fields = fields_of(body)
    process_id = fields.get("pid", "")
    return ProgramChanged(
        instance=fields.get("processname", ""),
        state=name.removeprefix(_STATE),
        from_state=fields.get("from_state", ""),
        process_id=int(process_id) if process_id.isdigit() and process_id != "0" else None,
        expected=fields.get("expected") == "1",
    )
