"""What a process is: said once, in the `__main__` of every service, and handed to `run`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from shared.core.service import Core, FromOutside, Journaling, Outward

DRAIN_SECONDS_DEFAULT: Final = 5.0


class OutsideUnusableError(Exception):
    """What an outside cannot go on without: the message says what a person has to put right. The process ends with it.

    Raised by `open`, or in a task of the outside's that hands what it raises to the loop.
    """


class Outside(Protocol):
    """What only this service has to do with the world beside the bus: a venue, a pipe, a terminal."""

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Begin, on the running loop; hand in with `bring` what comes. It reaches the core after `Started`."""

    def perform(self, effect: Outward) -> None:
        """Do what the core wants; what comes of it is brought in later."""

    def close(self) -> None:
        """End."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One process: who it is, the core it runs, the sockets it binds beside `health`."""

    instance: str
    core: Core
    answers: tuple[str, ...] = ()  # request sockets
    says: tuple[str, ...] = ()  # sockets of which only the latest counts
    publishes_market: bool = False
    outside: Outside | None = None
    # What the outside brings once others can reach what it serves: until then the process says that it is booting.
    open_with: type[FromOutside] | None = None
    drain_seconds: float = DRAIN_SECONDS_DEFAULT
    heeds_halt: bool = False  # its core is told of the HALT file


@dataclass(frozen=True, kw_only=True)
class JournaledPlan(Plan):
    """One process that owns a journal, whose records are told on the socket `reports`."""

    core: Journaling
    reports: str
    inherits: "Inherits | None" = None


@dataclass(frozen=True, kw_only=True)
class Inherits:
    """Who acts in a process's name while that is dead: its core is handed that one's journal, from a page on.

    The core says by the state that a page begins with whether it has all that stands before.
    """

    instance: str
    has_adopted: Callable[[bytes], bool]
