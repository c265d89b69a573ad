"""Whether the feed stands by what it tells of a symbol: its link to the venue, and what it doubts."""

from typing import Final, Literal

from proto.envelope import MarketEnvelope
from proto.market import LinkLost, LinkOpened, MarketBody, SymbolDoubted, SymbolTrusted
from shared.core.continuity import Broken, Event, Seen, Synced

Kind = Literal["link", "trust"]

UNKNOWN: Final[dict[Kind, str]] = {
    "link": "the feed has not said whether it reads the venue",
    "trust": "the feed has not said whether it can be trusted",
}


class Standing:
    """Why nothing should be entered on a symbol. What is not known is no reason to believe in it."""

    def __init__(self) -> None:
        self._troubles: Final[dict[Kind, str]] = dict(UNKNOWN)

    @property
    def trouble(self) -> str | None:
        """The first reason, None where there is none."""
        return next(iter(self._troubles.values()), None)

    def take(self, kind: Kind, event: Event) -> None:
        """Take in what the feed says, or that some of it is missing."""
        match event:
            case Broken():
                self._troubles[kind] = UNKNOWN[kind]
            case Seen(envelope=envelope) | Synced(latest=MarketEnvelope() as envelope):
                self._told(kind, envelope.body)
            case _:
                pass

    def _told(self, kind: Kind, body: MarketBody) -> None:
        match body:
            case LinkOpened() | SymbolTrusted():
                self._troubles.pop(kind, None)
            case LinkLost(reason=reason):
                self._troubles[kind] = f"its link is lost: {reason}"
            case SymbolDoubted(reasons=reasons):
                self._troubles[kind] = f"it is doubted: {', '.join(reasons)}"
            case _:
                pass
