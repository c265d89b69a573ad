"""`bowline flatten`: what the bot holds is closed, and entries may go on after it."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from proto.control import ControlDone, ControlRefused, Flatten
from services.control.arguments import UNHEARD, a_symbol, parser_of, seconds, words
from services.control.asking import SILENT, Reply, actor, replies_of, words_of
from services.control.flatness import FLATTENERS, WAIT_SECONDS, FlatnessWatch
from shared.mesh.clock import SystemClock
from shared.mesh.settings import Configuration, VenueSettings, load_whereabouts
from shared.mesh.verb import FAILED, OK, Streams, run_verb

NAME: Final = "flatten"
TEXT: Final = """\
Sell what the bot holds, of one symbol or of all, until nothing is left of it. The executor does it; when it does not
answer, the flattener. There is no latch: strategies may enter again afterwards, so `bowline pause` first if they shall
not. `bowline resume`, of the same symbol or of all, calls it off. `bowline kill` stops everything.
"""
CODES: Final = (
    "Exit codes: 0 FLAT was read back, 1 nothing was done or it is not said to be flat by now, 2 wrong usage.\n"
    + UNHEARD
)


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = parser_of(NAME, TEXT, CODES)
    parser.add_argument("symbol", nargs="?", type=a_symbol, help="such as BTC/USDT; without it, everything")
    parser.add_argument("reason", type=words, help="why, in a few words: it is written down with your name")
    parser.add_argument(
        "--wait",
        type=seconds,
        default=WAIT_SECONDS,
        metavar="S",
        help=f"so long for FLAT, {WAIT_SECONDS:g} s if not told",
    )
    arguments = parser.parse_args(argv)
    act = Flatten(arguments.actor or actor(), arguments.reason, arguments.symbol)

    def flattened() -> int:
        configuration, problems = load_whereabouts(root=arguments.root.absolute(), environment=environment)
        is_reason = act.symbol is not None and " " in act.reason  # of one symbol, which may be named in it again
        if not is_reason and (meant := _symbol_in(act.reason, configuration.settings.venue)):
            closes = "everything" if act.symbol is None else f"{act.symbol} alone"
            parser.error(
                f'{act.reason} begins with a symbol: did you mean `bowline {NAME} {meant} "why"`? '
                f"To flatten {closes}, give a reason in other words, and in small letters"
            )
        for problem in problems:
            streams.complain(f"bowline {NAME}: {problem}")
        return _flatten(configuration, act, arguments.wait, streams)

    return run_verb(NAME, streams, flattened)


def _symbol_in(reason: str, venue: VenueSettings) -> str | None:
    """Return the symbol that was probably meant by what stands where a reason is expected, alone or before one.

    The mesh that runs may trade others than are configured here, as a demonstration does: a word in capitals is one.
    """
    first, _, rest = reason.partition(" ")
    whole, letters = _letters(reason), _letters(first)
    for symbol in venue.symbols:
        if whole == _letters(symbol.split("/", maxsplit=1)[0]) or _letters(symbol) in {whole, letters}:
            return symbol
    base, is_loud = letters.removesuffix(venue.quote_asset), first.isupper() and len(letters) > 1
    if base != letters or (is_loud and "/" not in first):
        return f"{base or letters}/{venue.quote_asset}"
    return first.upper() if "/" in first and (is_loud or not rest) else None


def _letters(text: str) -> str:
    return "".join(character for character in text.upper() if character.isalnum())


def _flatten(configuration: Configuration, act: Flatten, wait_s: float, streams: Streams) -> int:
    reply = _reply(configuration, act, streams)
    if not isinstance(reply, ControlDone):
        meant = None if act.symbol is None else _symbol_in(act.symbol, configuration.settings.venue)
        if isinstance(reply, ControlRefused) and meant not in {None, act.symbol}:
            streams.complain(f'did you mean `bowline {NAME} {meant} "why"`?')
        return FAILED
    with FlatnessWatch(configuration.var_directory, streams, SystemClock()) as watch:
        return OK if watch.is_flat(act.symbol, wait_s) else FAILED


def _reply(configuration: Configuration, act: Flatten, streams: Streams) -> Reply | None:
    """Ask the executor, and only if it does not answer the flattener; say what came of it."""
    for instance in FLATTENERS:
        [reply] = replies_of(configuration, [instance], act)
        if reply is not None:
            streams.say(f"{instance}: {words_of(reply)}")
            return reply
        streams.complain(f"{instance} {SILENT}")
    return None
