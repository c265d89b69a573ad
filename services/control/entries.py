"""What `bowline pause` and `bowline resume` share: whether there may be new entries. Exits go on in any case."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proto.control import PauseEntries, ResumeEntries
from proto.risk import Everything, OfStrategy, OfSymbol, Scope
from services.control.arguments import UNHEARD, a_name, a_symbol, parser_of, reason_argument
from services.control.asking import actor, ask_each
from shared.mesh.settings import load_whereabouts
from shared.mesh.verb import Streams, run_verb

CODES: Final = "Exit codes: 0 done, 1 nothing was done or somebody does not answer, 2 wrong usage.\n" + UNHEARD


@dataclass(frozen=True)
class Verb:
    """One of the two."""

    name: str
    text: str
    act: type[PauseEntries | ResumeEntries]
    instances: tuple[str, ...]
    deputies: Mapping[str, str]


PAUSE: Final = Verb(
    "pause",
    "Let risk approve no new entry: of everything, of one symbol or of one strategy. What is open stays covered, and\n"
    "exits go on. The pause outlives restarts; `bowline resume` lifts it. Where risk does not answer, the executor\n"
    "takes it, of everything or of a symbol, and sends none, also once risk is back.\n",
    PauseEntries,
    ("risk",),
    {"risk": "executor"},
)
RESUME: Final = Verb(
    "resume",
    "Lift what keeps entries waiting until somebody has looked: a pause, trades by hand, money that came or went, a\n"
    "difference between our books and the exchange's, a crash loop. What `bowline flatten` has begun of the same\n"
    "symbol, or of everything, is called off. `bowline status` says what stands. Risk and the executor are both\n"
    "asked, for each has reasons of its own; for an executor that does not answer the flattener, if it acts for it.\n",
    ResumeEntries,
    ("risk", "executor"),
    {"executor": "flattener"},
)


def main_of(verb: Verb, argv: Sequence[str]) -> int:
    """Run a verb against this checkout."""
    return run(verb, argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(verb: Verb, argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run a verb with everything it touches handed in, and return the exit code."""
    arguments = _parser(verb).parse_args(argv)

    def asked() -> int:
        configuration, problems = load_whereabouts(root=arguments.root.absolute(), environment=environment)
        for problem in problems:
            streams.complain(f"bowline {verb.name}: {problem}")
        act = verb.act(arguments.actor or actor(), arguments.reason, _scope(arguments))
        return ask_each(configuration, verb.instances, act, streams, deputies=verb.deputies)

    return run_verb(verb.name, streams, asked)


def _scope(arguments: argparse.Namespace) -> Scope:
    if arguments.symbol is not None:
        return OfSymbol(arguments.symbol)
    return Everything() if arguments.strategy is None else OfStrategy(arguments.strategy)


def _parser(verb: Verb) -> argparse.ArgumentParser:
    parser = parser_of(verb.name, verb.text, CODES)
    reason_argument(parser)
    of_what = parser.add_mutually_exclusive_group()
    of_what.add_argument("--symbol", type=a_symbol, help="only entries of this symbol, such as BTC/USDT")
    of_what.add_argument("--strategy", type=a_name, help="only entries of this strategy")
    return parser
