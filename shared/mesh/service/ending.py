"""How a service ends: the first reason counts, and becomes the exit code of the process.

The one place that catches everything: what a core, a shell or a callback of the loop raises and nobody expected is a
defect of ours, and a process with a defect is better dead than wrong.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog

from shared.mesh.bus.hub import AddressUnusableError
from shared.mesh.bus.keys import KeysUnusableError
from shared.mesh.exit_codes import BEGIN_ANEW, OUR_DEFECT, UNUSABLE
from shared.mesh.journal import JournalFailed
from shared.mesh.run_directory import SocketPathError
from shared.mesh.service.links import SnailError
from shared.mesh.service.plan import OutsideUnusableError

log: Final = structlog.get_logger("service")


class Ending:
    """The exit code of a service, once it has one."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        self.code: Final[asyncio.Future[int]] = loop.create_future()
        loop.set_exception_handler(self._escaped)

    @property
    def has_come(self) -> bool:
        """Whether there is nothing more to be done."""
        return self.code.done()

    def come(self, code: int) -> None:
        """End with this code, unless there is one already."""
        if not self.code.done():
            self.code.set_result(code)

    def come_within(self, seconds: float) -> None:
        """Give up after this time, if there is no reason by then."""

        def drained_too_late() -> None:
            if not self.has_come:
                self.give_up(BEGIN_ANEW, "not drained in time", f"{seconds:g} s are over")

        self._loop.call_later(seconds, drained_too_late)

    def give_up(self, code: int, what: str, reason: str) -> None:
        """End for a reason that is no defect of ours."""
        log.critical(what, reason=reason)
        self.come(code)

    def guard(self, work: Callable[[], None]) -> None:
        """Do some work, and end on whatever it raises."""
        try:
            work()
        except (AddressUnusableError, KeysUnusableError, SocketPathError) as error:
            self.give_up(UNUSABLE, "a socket cannot be had", str(error))
        except OutsideUnusableError as error:
            self.give_up(UNUSABLE, "cannot go on", str(error))
        except JournalFailed as error:
            self.give_up(BEGIN_ANEW, "the journal failed", str(error))
        except Exception as error:  # noqa: BLE001 -- the last line of defence: better dead than wrong
            self._defect(error)

    def _escaped(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End on whatever a callback or task of the loop raises: nothing else would notice it."""
        error = context.get("exception")
        if isinstance(error, SnailError):
            self.give_up(BEGIN_ANEW, "too slow", str(error))
        elif isinstance(error, OutsideUnusableError):
            self.give_up(UNUSABLE, "cannot go on", str(error))
        else:
            self._defect(error if isinstance(error, Exception) else RuntimeError(context.get("message")))

    def _defect(self, error: Exception) -> None:
        log.critical("a defect of ours", exc_info=error)
        self.come(OUR_DEFECT)
