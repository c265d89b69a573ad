"""`bowline watch`: what metrics measures, on the terminal as it changes, or as lines for other programs."""

import argparse
import asyncio
import math
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

from services.watch.asking import Given, Inquiry
from services.watch.drawing import Drawing
from services.watch.picture.lines import HEADING
from services.watch.picture.screen import page
from services.watch.picture.sight import Sight
from services.watch.telling import JSON, PLAIN, Manner, code_of, tell, tell_forever
from services.watch.terminal import Palette, Screen, is_drawable, palette_for
from shared.mesh.clock import SystemClock
from shared.mesh.settings import Configuration, load_whereabouts
from shared.mesh.verb import OK, Streams, root_argument, run_verb

TEXT = """\
Show symbols, processes and hops as metrics measures them: on a terminal in place until q or Ctrl-C, elsewhere as lines.
docs/watch.md explains the columns. Exit codes: 0 somebody ended it; with --once 0 all is well, 1 there was no answer,
3 something is not well; 2 wrong usage; 130 it was ended before it had begun.
"""
DRAWN_EVERY_S: Final = 0.5
TOLD_EVERY_S: Final = 1.0
_EVERY_S_MIN, _EVERY_S_MAX = 0.1, 3600.0


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    keys = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr), keys=keys)


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams, keys: int | None = None) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)
    drawn = not (arguments.plain or arguments.json) and is_drawable(streams.output, environment)

    def verb() -> int:
        try:
            return watched()
        except KeyboardInterrupt:  # how a person ends it; to whom one answer was promised has none
            if arguments.once:
                raise
            return OK

    def watched() -> int:
        configuration, problems = load_whereabouts(root=arguments.root.absolute(), environment=environment)
        for problem in problems:
            streams.errors.write(f"bowline watch: {problem}\n")
        watch = Watch(configuration, streams, JSON if arguments.json else PLAIN, palette_for(environment))
        if arguments.once:
            return asyncio.run(watch.once(drawn=drawn))
        if drawn:
            asyncio.run(watch.draw(keys, every_s=arguments.every or DRAWN_EVERY_S))
        else:
            asyncio.run(watch.tell(every_s=arguments.every or TOLD_EVERY_S))
        return OK

    return run_verb("watch", streams, verb)


class Watch:
    """The ways to watch, each with a connection of its own."""

    def __init__(self, configuration: Configuration, streams: Streams, manner: Manner, palette: Palette) -> None:
        self._clock: Final = SystemClock()
        self._inquiry: Final = Inquiry(configuration, self._clock)
        self._streams: Final = streams
        self._manner: Final = manner
        self._palette: Final = palette

    async def once(self, *, drawn: bool) -> int:
        """Show one answer, as a picture or as lines, and return the exit code."""
        with closing(self._inquiry):
            answer = await self._inquiry.ask()
        if drawn and isinstance(answer, Given):
            sight = Sight(self._clock.wall_ns(), answer.measures, answer.hops)
            display = Screen(self._streams.output, keys=None, palette=self._palette)
            width, _ = display.size
            display.add(page(sight, width))
        else:
            tell(self._manner, answer, self._clock, self._streams)
        return code_of(answer)

    async def draw(self, keys: int | None, *, every_s: float) -> None:
        """Draw on the terminal until somebody quits."""
        with closing(self._inquiry):
            display = Screen(self._streams.output, keys=keys, palette=self._palette)
            await Drawing(display, self._inquiry, self._clock, keys=keys, every_s=every_s).last()

    async def tell(self, *, every_s: float) -> None:
        """Tell in lines until nobody reads them."""
        with closing(self._inquiry):
            await tell_forever(self._manner, self._inquiry, self._clock, self._streams, every_s=every_s)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bowline watch", description=TEXT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    manner = parser.add_mutually_exclusive_group()
    manner.add_argument("--plain", action="store_true", help=f"lines, also on a terminal: {HEADING}, and one for all")
    manner.add_argument("--json", action="store_true", help="for programs: a JSON object for each answer, one a line")
    parser.add_argument("--once", action="store_true", help="show one answer, and end")
    parser.add_argument(
        "--every",
        type=_seconds,
        metavar="SECONDS",
        help=f"ask so often; by default {DRAWN_EVERY_S} where it is drawn, else {TOLD_EVERY_S}",
    )
    root_argument(parser)
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not _EVERY_S_MIN <= seconds <= _EVERY_S_MAX:
        raise argparse.ArgumentTypeError(f"write seconds, {_EVERY_S_MIN} to {_EVERY_S_MAX:.0f}")
    return seconds
