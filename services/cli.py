"""The `bowline` command: looks up the verb and hands over; imports a verb's module only when it is asked for."""

import difflib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from types import MappingProxyType
from typing import Protocol, cast

USAGE_ERROR = 2
BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


@dataclass(frozen=True)
class Verb:
    """Where a verb lives, and its line in the help."""

    module: str
    help: str


class VerbModule(Protocol):
    """What a verb's module offers."""

    def main(self, argv: Sequence[str]) -> int:
        """Run the verb with the arguments that follow it, and return the exit code."""


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "config": Verb("services.config_command", "show the settings in force, or check them"),
        "journal": Verb("services.journal_command", "show a journal, prove it whole, or follow it"),
    }
)

# The words people will try; one leaves this list when its verb is built.
# fmt: off
NOT_BUILT_YET = frozenset({
    "up", "down", "status", "logs", "crash", "restart", "pause", "resume", "kill", "clear-kill", "flatten",
    "arm", "disarm", "backtest", "walk-forward", "monte-carlo", "optimize", "rank-pairs", "lookahead", "parity",
    "certify", "report", "data", "strategies", "keys", "replay", "sim", "chaos",
})
# fmt: on


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb named on the command line and return its exit code."""
    try:
        code = _dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`bowline config show | head -1`); the interpreter must not find the pipe again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _dispatch(argv: Sequence[str]) -> int:
    if not argv:
        sys.stderr.write(_help())
        return USAGE_ERROR
    name, *rest = argv
    if name in {"--help", "-h", "help"}:
        sys.stdout.write(_help())
        return 0
    if name in {"--version", "version"}:
        sys.stdout.write(f"bowline {version('bowline')}\n")
        return 0
    if name in VERBS:
        return cast("VerbModule", importlib.import_module(VERBS[name].module)).main(rest)
    sys.stderr.write(_refusal(name))
    return USAGE_ERROR


def _help() -> str:
    rows = {**{name: verb.help for name, verb in VERBS.items()}, "version": "print the version"}
    verbs = "".join(f"  {name:<10}{text}\n" for name, text in rows.items())
    return f"usage: bowline <verb> ...\n\n{verbs}\n`bowline <verb> --help` tells more about one.\n"


def _refusal(name: str) -> str:
    if name in NOT_BUILT_YET:
        return f"bowline: {name} is not built yet\n"
    near = difflib.get_close_matches(name, [*VERBS, *NOT_BUILT_YET, "version", "help"], n=1)
    hint = f", did you mean {near[0]}?" if near else "; `bowline --help` lists the verbs"
    return f"bowline: unknown verb{hint}\n"


if __name__ == "__main__":
    sys.exit(main())
