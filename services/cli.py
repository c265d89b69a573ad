"""The `bowline` command: looks up the verb and hands over; imports a verb's module only when it is asked for."""

import contextlib
import difflib
import errno
import importlib
import io
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TextIO, cast

from services import __version__

USAGE_ERROR = 2
OUTPUT_LOST = 74  # EX_IOERR of sysexits.h: the answer could not be written, whatever it was
OUTPUT_ENDED = frozenset({errno.ENOSPC, errno.EPIPE})
INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended
BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended


@dataclass(frozen=True)
class Verb:
    """Where a verb lives, and its line in the help."""

    module: str
    help: str
    actions: str = ""


class VerbModule(Protocol):
    """What a verb's module offers."""

    def main(self, argv: Sequence[str]) -> int:
        """Run the verb with the arguments that follow it, and return the exit code."""


VERBS: Mapping[str, Verb] = MappingProxyType(
    {
        "demo": Verb("services.supervision.demo", "start the mesh on the simulated exchange, and say where to look"),
        "up": Verb("services.supervision.up", "start what does not run, and wait until all is well"),
        "down": Verb("services.supervision.down", "stop every process in order"),
        "status": Verb("services.supervision.status", "show every process, and whether it is well"),
        "watch": Verb("services.watch.command", "show symbols, processes and latencies as they change"),
        "logs": Verb("services.supervision.logs", "show the end of the logs and follow them", "[instance ...]"),
        "crash": Verb("services.supervision.crash", "kill a process, to see what the mesh survives", "<instance>"),
        "restart": Verb("services.supervision.restart", "stop processes in order, start them again", "<instance ...>"),
        "orders": Verb("services.inspection.orders", "show the newest orders, and how each stands"),
        "positions": Verb("services.inspection.positions", "show what each strategy holds"),
        "fills": Verb("services.inspection.fills", "show the newest trades"),
        "why": Verb("services.inspection.why_command", "show what led to an order, back to the bar", "<id>"),
        "trips": Verb("services.inspection.trips", "show when the kill latch was set, by what, and who cleared it"),
        "risk": Verb("services.inspection.risk_command", "recompute a guard's trip from the journal", "replay <trip>"),
        "pause": Verb("services.control.pause", "let no new entries be approved; exits go on", "<reason>"),
        "resume": Verb("services.control.resume", "lift what keeps entries waiting for somebody to look", "<reason>"),
        "kill": Verb(
            "services.control.kill", "stop: no entries, and sell all until flat; the emergency stop", "<reason>"
        ),
        "clear-kill": Verb("services.control.clear_kill", "end the kill latch, in two steps", "<reason>"),
        "flatten": Verb("services.control.flatten", "sell what the bot holds, without a latch", "[symbol] <reason>"),
        "limits": Verb("services.control.limits", "show how much of each limit is used"),
        "config": Verb("services.config_command", "show the settings in force, or check them", "show|check"),
        "keys": Verb(
            "services.keys_command", "create the keys of the processes, or show the public ones", "create|show"
        ),
        "sim-exchange": Verb(
            "services.sim_exchange.command", "run the simulated exchange, or look into it", "[accounts|orders|log]"
        ),
        "journal": Verb("services.journal_command", "show a journal, prove it whole, or follow it", "show|verify|tail"),
        "verify": Verb("services.verify.command", "hold journals and log against what must always be true"),
    }
)

# What an operator orders by these is done also where their words cannot be written.
ACT_UNHEARD = frozenset({"pause", "resume", "kill", "flatten"})

# The words people will try; one leaves this list when its verb is built.
# fmt: off
NOT_BUILT_YET = frozenset({
    "arm", "disarm", "backtest", "walk-forward", "monte-carlo", "optimize", "rank-pairs", "lookahead", "parity",
    "certify", "report", "data", "strategies", "replay", "sim", "chaos",
})
# fmt: on


def main(argv: Sequence[str] | None = None) -> int:
    """Run the verb named on the command line and return its exit code; what cannot be written ends in one sentence."""
    if _is_closed("stderr"):  # `2>&-`: whoever closed it wants no errors
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # it stays open as long as the process
    words = sys.argv[1:] if argv is None else argv
    acts_unheard = not ACT_UNHEARD.isdisjoint(words[:1])
    if _is_closed("stdout"):
        if not acts_unheard:
            _complain("standard output is closed")
            return OUTPUT_LOST
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # as above
    kept = _dropping if acts_unheard else _retaining
    sys.stdout, sys.stderr = kept(sys.stdout), kept(sys.stderr)
    try:
        try:
            return _dispatch(words)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:  # before the verb was there to say something better
        _complain("interrupted")
        return INTERRUPTED
    except OSError as error:
        # The verb's own trouble, with a file or a socket, is not ours to explain. What is longer than a stream holds is
        # dropped as it fails: then only the error, which names no file, tells that it was the output.
        if not any(
            [_is_lost(sys.stdout), _is_lost(sys.stderr), error.errno in OUTPUT_ENDED and error.filename is None]
        ):
            raise
        if isinstance(error, BrokenPipeError):  # the reader has gone: `bowline config show | head -1`
            return BROKEN_PIPE
        _complain(f"the output could not be written ({error.strerror})")
        return OUTPUT_LOST


def _is_closed(stream: str) -> bool:
    """Tell whether the process was started without the stream (`>&-`); Python then has None in its place."""
    return getattr(sys, stream) is None


def _retaining(stream: TextIO) -> TextIO:
    """Return the stream, or one that keeps what it cannot write: with PYTHONUNBUFFERED it would forget."""
    if not isinstance(getattr(stream, "buffer", None), io.RawIOBase):
        return stream
    return open(stream.fileno(), "w", buffering=1, encoding=stream.encoding, errors=stream.errors, closefd=False)


class _Dropping(io.TextIOWrapper):
    """Writes at once, and lets go of what cannot be written."""

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)


def _dropping(stream: TextIO) -> TextIO:
    """Return a stream in the place of that one of which no word ever keeps a verb from what it does."""
    raw = io.FileIO(stream.fileno(), "w", closefd=False)  # unlike a buffer, it forgets what it could not write
    return _Dropping(raw, encoding=stream.encoding, errors=stream.errors, write_through=True)


def _is_lost(stream: TextIO) -> bool:
    """Tell whether the stream holds what it cannot get rid of; the interpreter must not meet it again at exit."""
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return True
    return False


def _complain(sentence: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"bowline: {sentence}\n")


def _dispatch(argv: Sequence[str]) -> int:
    if not argv:
        sys.stderr.write(_help())
        return USAGE_ERROR
    name, *rest = argv
    if name in {"--help", "-h", "help"}:
        sys.stdout.write(_help())
        return 0
    if name in {"--version", "version"}:
        sys.stdout.write(f"bowline {__version__}\n")
        return 0
    if name in VERBS:
        return cast("VerbModule", importlib.import_module(VERBS[name].module)).main(rest)
    sys.stderr.write(_refusal(name))
    return USAGE_ERROR


def _help() -> str:
    rows = {f"{name} {verb.actions}".strip(): verb.help for name, verb in VERBS.items()}
    rows["version"] = "print the version"
    width = max(len(name) for name in rows)
    verbs = "".join(f"  {name:<{width}}  {text}\n" for name, text in rows.items())
    return (
        f"usage: bowline <verb> ...\n\n{verbs}\n`bowline <verb> --help` tells more about one.\n"
        f"Not built yet: {', '.join(sorted(NOT_BUILT_YET))}.\n"
    )


def _refusal(name: str) -> str:
    if name in NOT_BUILT_YET:
        return f"bowline: {name} is not built yet\n"
    near = difflib.get_close_matches(name, [*VERBS, *NOT_BUILT_YET, "version", "help"], n=1)
    hint = f", did you mean {near[0]}?" if near else "; `bowline --help` lists the verbs"
    if near and near[0] in NOT_BUILT_YET:
        hint = f"; the nearest is {near[0]}, which is not built yet"
    return f"bowline: unknown verb{hint}\n"


if __name__ == "__main__":
    sys.exit(main())
