"""The flattener's core: reads the account, and takes a kill. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.flattener.core.account import AccountReader
from services.flattener.core.control import Control
from shared.core.service import (
    Asked,
    BeWary,
    Effect,
    HaltSeen,
    HaltUnwritable,
    Happening,
    Moment,
    Note,
    Restored,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)
from shared.execution.core import TradedAccount
from shared.execution.vocabulary import KeyUnbound, StreamLost, StreamOpened, WorthRead

LOOK_NS: Final = 250_000_000
LOOK: Final = "look"


class State(msgspec.Struct):
    """All that its journal has led to."""


class FlattenerCore:
    """Stands by, with everything open that it needs when it has to act."""

    def __init__(self, account: TradedAccount) -> None:
        self._reader: Final = AccountReader(account)
        self._control: Final = Control()
        self._stream_trouble: str | None = "the venue's private stream was not opened yet"
        self._wary_of: tuple[str, ...] = ()
        self._state = State()

    def state(self) -> bytes:
        """Return what has to outlive this process."""
        return msgspec.json.encode(self._state)

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        match happening:
            case Restored(state=state):
                self._state = msgspec.json.decode(state, type=State)
                return ()
            case Asked():
                return self._control.asked(happening, now)
            case HaltSeen(latch=latch):
                return self._control.halt_seen(latch)
            case HaltUnwritable(reason=reason):
                return self._control.halt_unwritable(reason)
            case StopAsked():
                return (Stop(),)
            case Started():
                return (WakeAt(LOOK, now.boot_ns),)
            case Woken():
                return (*self._reader.due(now), *self._wary(), WakeAt(LOOK, now.boot_ns + LOOK_NS))
            case WorthRead() | StreamOpened() | StreamLost() | KeyUnbound():
                return self._venue_told(happening)
            case _:
                return ()

    def _venue_told(self, told: WorthRead | StreamOpened | StreamLost | KeyUnbound) -> Sequence[Effect]:
        match told:
            case WorthRead():
                return self._reader.read(told)
            case StreamOpened():
                self._stream_trouble = None
                return ()
            case StreamLost(reason=reason):
                self._stream_trouble = f"the private stream is lost: {reason}"
                return (Note("warning", "the private stream is lost", {"reason": reason}),)
            case KeyUnbound():
                advice = "bind it to the address of this host at the exchange: whoever finds it can trade with it"
                return (Note("warning", "the key can be used from any address", {"advice": advice}),)

    def _wary(self) -> Sequence[Effect]:
        """Show a person what it could not do now, when that has changed."""
        found = [trouble for trouble in (self._stream_trouble, self._reader.trouble) if trouble is not None]
        if (troubles := tuple(found)) == self._wary_of:
            return ()
        self._wary_of = troubles
        return (BeWary(troubles),)
