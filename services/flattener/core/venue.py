"""What the venue told that holds until it tells otherwise: an engine that begins late has to hear it too. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from proto.fields import Symbol
from shared.core.service import Effect, FromOutside, Note
from shared.execution.key_rights import KeyRights
from shared.execution.vocabulary import (
    InstrumentsKnown,
    KeyRightsTold,
    StreamLost,
    StreamOpened,
    VenueClock,
    WeightTold,
    WorthRead,
)
from shared.trading.instruments import Instrument

STANDING: Final = (InstrumentsKnown, VenueClock, WeightTold, StreamOpened, WorthRead)


class VenueStanding:
    """Remembers the newest of each."""

    def __init__(self) -> None:
        self.trouble: str | None = "the venue's private stream was not opened yet"
        self._rights: Final = KeyRights()  # whatever they are, we enter nothing
        self._newest: Final[dict[type, FromOutside]] = {}

    @property
    def instruments(self) -> Mapping[Symbol, Instrument]:
        """What can be traded, as far as it is known."""
        known = self._newest.get(InstrumentsKnown)
        return known.instruments if isinstance(known, InstrumentsKnown) else {}

    def told(self, told: FromOutside) -> Sequence[Effect]:
        """Take in what the venue tells."""
        if isinstance(told, STANDING) and not (isinstance(told, WorthRead) and told.failure is not None):
            self._newest[type(told)] = told
        match told:
            case StreamOpened():
                self.trouble = None
            case StreamLost(reason=reason):
                self._newest.pop(StreamOpened, None)
                self.trouble = f"the private stream is lost: {reason}"
                return (Note("warning", "the private stream is lost", {"reason": reason}),)
            case KeyRightsTold():
                return self._rights.told(told)
            case _:
                pass
        return ()

    def standing(self) -> Sequence[FromOutside]:
        """Return what an engine has to hear when it begins."""
        return tuple(self._newest.values())
