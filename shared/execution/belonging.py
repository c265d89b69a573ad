"""Whose the books are: what was bought at one account is nothing of another. Pure.

Every page of the executor's journal begins with the account it is of. Where the settings name another, as after a demo
in the same directory, the stops and exits that stand there would be placed over coins of whoever has that account. So
nothing at all is done then, by the executor or in its name, and it is said what a person has to put right. The process
stays: ended, it would be taken for one that has died, and risk would set the kill latch for its silence.
"""

from collections.abc import Sequence
from typing import Final

from proto.control import ControlRefused
from proto.fields import clipped
from proto.intents import ExitRefused, SetExit
from proto.verdicts import Approval, ApprovalDeclined
from shared.core.service import (
    Answer,
    Asked,
    BeWary,
    Effect,
    Happening,
    JournalRoom,
    Note,
    NotRecorded,
    Recorded,
    RecordsLost,
    Restored,
    Started,
    Stop,
    StopAsked,
)

RULE: Final = "books_are_of_this_account"
NOTHING_IS_DONE: Final = "nothing is traded, covered or closed: "  # so the trouble begins in every heartbeat
OF_JOURNAL: Final = (Restored, Recorded, RecordsLost, NotRecorded, JournalRoom)


def why_not_ours(of: str, ours: str) -> str | None:
    """Say why books that are of an account are none of ours, None where they are."""
    if of == ours:
        return None
    return clipped(
        f"{NOTHING_IS_DONE}the journals in var are of {of}, and the settings say {ours}. "
        "Set paths.var_directory to a new directory for this account, or put the old settings back"
    )


def why_idle(troubles: Sequence[str]) -> str | None:
    """Return what a heartbeat says of books of another account, None where it says nothing of the kind."""
    found = (one for one in troubles if one.startswith(NOTHING_IS_DONE))
    return next((one.removeprefix(NOTHING_IS_DONE) for one in found), None)


def left_alone(happening: Happening, *, of: str, ours: str) -> Sequence[Effect] | None:
    """Return all that is done with books of another account: it is said that nothing is. None where they are ours.

    What stands in the journal is folded all the same: it is theirs, and a new page has to begin with it.
    """
    why = why_not_ours(of, ours)
    if why is None or isinstance(happening, OF_JOURNAL):
        return None
    match happening:
        case Started():
            return (Note("critical", "the books are of another account", {"reason": why}), BeWary((why,)))
        case Asked(envelope=envelope):
            match envelope.body:
                case Approval(approval_id=approval_id):
                    return (Answer(happening, ApprovalDeclined(approval_id, RULE, why)),)
                case SetExit(exit_id=exit_id):
                    return (Answer(happening, ExitRefused(exit_id, why)),)
                case _:
                    return (Answer(happening, ControlRefused(RULE, why)),)
        case StopAsked():
            return (Stop(),)
        case _:
            return ()
