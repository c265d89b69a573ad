"""The picture on the terminal, for as long as somebody looks at it."""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Final

from services.watch.asking import Given, Inquiry
from services.watch.picture.screen import screen
from services.watch.picture.sight import Gathering
from services.watch.terminal import Screen, TerminalGoneError
from shared.mesh.clock import Clock

# So often at least, for the time of day, and for how long there has been no answer.
_LOOK_S: Final = 0.5
_QUITTING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_KEYS_AT_ONCE: Final = 1  # what is typed behind q is for the shell
_QUIT_KEY: Final = b"q"
_REDRAW_KEY: Final = b"\x0c"  # Ctrl-L


class Drawing:
    """Asks and draws until `q`, Ctrl-C or a signal that ends it."""

    def __init__(self, display: Screen, inquiry: Inquiry, clock: Clock, *, keys: int | None, every_s: float) -> None:
        self._display: Final = display
        self._inquiry: Final = inquiry
        self._clock: Final = clock
        self._keys: Final = keys
        self._every_s: Final = every_s
        self._gathering: Final = Gathering()
        self._stir: Final = asyncio.Event()
        self._quit = False

    async def last(self) -> None:
        """Draw until somebody quits; raises what asking raises that nobody expects."""
        loop = asyncio.get_running_loop()
        for ending in _QUITTING:
            loop.add_signal_handler(ending, self._quit_now)
        loop.add_signal_handler(signal.SIGWINCH, self._drawn_anew)
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGCONT, self._taken_back)
        if self._keys is not None:
            loop.add_reader(self._keys, self._read_keys, self._keys)
        asking = loop.create_task(self._ask_forever())
        asking.add_done_callback(lambda _: self._stir.set())
        try:
            with suppress(TerminalGoneError), self._display:
                while not (self._quit or asking.done()):
                    await self._draw_and_wait()
            if asking.done():
                asking.result()
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    async def _draw_and_wait(self) -> None:
        self._stir.clear()
        width, height = self._display.size
        self._display.draw(screen(self._gathering.sight(self._clock.wall_ns()), width, height))
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self._stir.wait()

    async def _ask_forever(self) -> None:
        while True:
            pause = asyncio.create_task(asyncio.sleep(self._every_s))
            answer = await self._inquiry.ask()
            if isinstance(answer, Given):
                self._gathering.given(answer.measures, answer.hops)
            else:
                self._gathering.unanswered(answer.trouble, self._clock.wall_ns())
            self._stir.set()
            await pause

    def _read_keys(self, keys: int) -> None:
        try:
            pressed = os.read(keys, _KEYS_AT_ONCE)
        except OSError:  # the terminal is gone
            pressed = b""
        if not pressed or pressed == _QUIT_KEY:
            self._quit_now()
        elif pressed == _REDRAW_KEY:
            self._drawn_anew()

    def _quit_now(self) -> None:
        if self._keys is not None:
            asyncio.get_running_loop().remove_reader(self._keys)
        self._quit = True
        self._stir.set()

    def _drawn_anew(self) -> None:
        self._display.forget()
        self._stir.set()

    def _stop(self) -> None:
        """Stop as Ctrl-Z wants it: by the signal's own effect, which is none where no shell could wake us."""
        loop = asyncio.get_running_loop()
        self._display.leave()
        loop.remove_signal_handler(signal.SIGTSTP)
        signal.raise_signal(signal.SIGTSTP)
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._taken_back()

    def _taken_back(self) -> None:
        """Take the terminal back: whoever stopped us may have used it since."""
        with suppress(TerminalGoneError):  # which the next drawing meets again
            self._display.enter()
        self._stir.set()
