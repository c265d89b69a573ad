"""`bowline limits`: how much of each limit is used, as risk knows it at this moment."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from proto.control import AskLimits, LimitsAnswered
from proto.risk import LimitUse
from services.control.arguments import parser_of
from services.control.asking import SILENT, actor, replies_of, words_of
from shared.core.scopes import scope_words
from shared.core.tables import Row, table
from shared.mesh.settings import load_whereabouts
from shared.mesh.verb import OK, NotDoneError, Streams, run_verb

NAME: Final = "limits"
TEXT: Final = """\
Show how much of each limit is used, asked of risk. With --json one object a line; numbers are texts, and `share` is a
part of one, or null where the limit is nothing. What is not known is called unknown, and below it is said why.
"""
UNKNOWN: Final = "unknown"
CODES: Final = "Exit codes: 0 shown, 1 risk does not answer, 2 wrong usage."
_HUNDRED: Final = 100
_SHARE_STEP: Final = Decimal("0.0001")


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = parser_of(NAME, TEXT, CODES)
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)

    def shown() -> int:
        configuration, problems = load_whereabouts(root=arguments.root.absolute(), environment=environment)
        for problem in problems:
            streams.complain(f"bowline {NAME}: {problem}")
        [reply] = replies_of(configuration, ["risk"], AskLimits(arguments.actor or actor()))
        if not isinstance(reply, LimitsAnswered):
            raise NotDoneError(f"risk {SILENT}" if reply is None else f"risk: {words_of(reply)}")
        shares = [_share(use) for use in reply.limits]
        rows = [_row(use, share) for use, share in zip(reply.limits, shares, strict=True)]
        if arguments.json:
            for row, use, share in zip(rows, reply.limits, shares, strict=True):
                said = {"share": None if share is None else f"{share:f}", "unknown": use.unknown}
                streams.say(json.dumps(row | said))
        else:
            streams.say(*table(rows, "there are no limits"))
            streams.say(*dict.fromkeys(f"unknown: {use.unknown}" for use in reply.limits if use.unknown is not None))
        return OK

    return run_verb(NAME, streams, shown)


def _share(use: LimitUse) -> Decimal | None:
    """Return which part is used: 1 is all of it."""
    return (use.used / use.limit).quantize(_SHARE_STEP) if use.limit and use.used is not None else None


def _row(use: LimitUse, share: Decimal | None) -> Row:
    return {
        "limit": use.name,
        "of": scope_words(use.scope),
        "used": UNKNOWN if use.used is None else f"{use.used:f}",
        "most": UNKNOWN if use.limit is None else f"{use.limit:f}",
        "unit": use.unit,
        "share": "-" if share is None else f"{share * _HUNDRED:.0f} %",
    }
