"""`bowline clear-kill`: the end of a kill latch, in two steps, by a person who names it.

Risk does it: it writes it down, has the executor lift its own, and takes the HALT file away last.
"""

import argparse
import json
import os
import select
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from proto.control import NONE_STANDS, AskClearKill, ClearKillOffered, ConfirmClearKill, ControlDone, ControlRefused
from proto.fields import Id
from services.control.arguments import an_id, parser_of, reason_argument, seconds
from services.control.asking import SILENT, Reply, actor, replies_of, words_of
from shared.mesh.clock import SystemClock
from shared.mesh.halt_file import HaltFile
from shared.mesh.operator import RISK, risk_heard
from shared.mesh.settings import Configuration, load_whereabouts
from shared.mesh.verb import EXPECTED, FAILED, NOT_WELL, OK, NotDoneError, Streams, run_verb

NAME: Final = "clear-kill"
YES: Final = "yes"
WAIT_SECONDS: Final = 15.0
PAUSE_MS: Final = 100
NOTHING: Final = "no kill latch stands, so there is nothing to clear"
_NS_PER_S: Final = 1_000_000_000
TEXT: Final = """\
Clear the kill latch, so that entries may go on. Risk says first what it is about and what stands in the way; then it is
cleared by `yes`, or at once with --yes and the id of the latch, as `bowline status` shows it. If another latch has come
up meanwhile, nothing is cleared.
With --json: {"latch_id", "offer", "cleared", "file_gone", "said"}, and it is never asked.
"""
CODES: Final = """\
Exit codes: 0 cleared, or there is none, 1 not cleared, 2 wrong usage, 3 cleared, but it still holds: the executor has
not lifted its own yet, or the HALT file is still there. Risk goes on until it is done.
"""

# Asks a person, and returns what was typed; None where there is no terminal.
AskPerson = Callable[[str], str | None]


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr), ask=_typed)


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams, ask: AskPerson) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    parser = parser_of(NAME, TEXT, CODES)
    reason_argument(parser)
    parser.add_argument("--yes", type=an_id, metavar="LATCH_ID", help="clear this latch without being asked")
    wait = f"so long until the HALT file is gone, {WAIT_SECONDS:g} s if not told"
    parser.add_argument("--wait", type=seconds, default=WAIT_SECONDS, metavar="S", help=wait)
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)

    def cleared() -> int:
        configuration, problems = load_whereabouts(root=arguments.root.absolute(), environment=environment)
        for problem in problems:
            streams.complain(f"bowline {NAME}: {problem}")
        return _Clearing(configuration, arguments, streams, ask).run()

    return run_verb(NAME, streams, cleared)


class _Clearing:
    """One attempt to clear."""

    def __init__(
        self, configuration: Configuration, arguments: argparse.Namespace, streams: Streams, ask: AskPerson
    ) -> None:
        self._configuration: Final = configuration
        self._file: Final = HaltFile(configuration.halt_directory)
        self._actor: Final = arguments.actor or actor()
        self._reason: Final[str] = arguments.reason
        self._yes: Final[Id | None] = arguments.yes
        self._as_json: Final[bool] = arguments.json
        self._wait_s: Final[float] = arguments.wait
        self._streams: Final = streams
        self._ask: Final = ask

    def run(self) -> int:
        """Clear it, and say how far that came; for a program, what went wrong as well."""
        try:
            return self._cleared()
        except EXPECTED as error:
            if not self._as_json:
                raise
            return self._end(FAILED, str(error), {"latch_id": self._yes})

    def _cleared(self) -> int:
        """Ask for the offer, ask the person, confirm, and wait until the file is gone."""
        latch_id = self._latch_id()
        if latch_id is None:
            return self._end(OK, NOTHING, {})
        offer = self._asked(AskClearKill(self._actor, self._reason, latch_id))
        if not isinstance(offer, ClearKillOffered):
            return self._not_offered(latch_id, offer)
        offered = {"latch_id": latch_id, "offer": offer.summary}
        if not self._as_json:
            self._streams.say(f"{latch_id}: {offer.summary}")
        if self._yes is None and (why_not := self._why_not(latch_id)):
            return self._end(FAILED, why_not, offered)
        done = self._asked(ConfirmClearKill(self._actor, latch_id, offer.offer_id))
        if not isinstance(done, ControlDone):
            return self._end(FAILED, words_of(done), offered)
        is_gone = self._is_gone()
        return self._end(OK if is_gone else NOT_WELL, done.summary, offered | {"cleared": True, "file_gone": is_gone})

    def _latch_id(self) -> Id | None:
        """Return which latch: the one that was named, that of the file, or the one that risk tells of."""
        if self._yes is not None:
            return self._yes
        latch = self._file.latch()
        if latch is not None:
            return latch.latch_id
        snapshot = risk_heard(self._configuration)
        if snapshot is None:
            raise NotDoneError(f"there is no HALT file, and {RISK} {SILENT}; without it nothing can be cleared")
        return snapshot.latch_id

    def _not_offered(self, latch_id: Id, refusal: Reply) -> int:
        """Say why not; that there is none to clear is well, unless its file is still there."""
        why = words_of(refusal)
        if not isinstance(refusal, ControlRefused) or refusal.rule != NONE_STANDS:
            return self._end(FAILED, why, {"latch_id": latch_id})
        return self._end(OK, NOTHING, {}) if self._is_gone() else self._end(NOT_WELL, why, {"latch_id": latch_id})

    def _asked(self, act: AskClearKill | ConfirmClearKill) -> Reply:
        [reply] = replies_of(self._configuration, [RISK], act)
        if reply is None:
            raise NotDoneError(
                f"{RISK} {SILENT}; a latch is cleared by risk and by nobody else, so nothing was cleared"
            )
        return reply

    def _why_not(self, latch_id: Id) -> str:
        """Ask the person, and return why it is not to be cleared; nothing if it is."""
        typed = None if self._as_json else self._ask(f"Type {YES} to clear {latch_id}: ")
        if typed is None:
            return f"nobody is there to ask: repeat it with --yes {latch_id}"
        return "" if typed.strip() == YES else f"it was not answered with {YES}, so nothing was cleared"

    def _is_gone(self) -> bool:
        """Wait until there is no file, also none that somebody has made or touched meanwhile: that latches anew."""
        clock = SystemClock()
        deadline_ns = clock.boot_ns() + int(self._wait_s * _NS_PER_S)
        while self._file.is_there():
            if clock.boot_ns() >= deadline_ns:
                return False
            select.poll().poll(PAUSE_MS)
        return True

    def _end(self, code: int, said: str, known: Mapping[str, object]) -> int:
        if self._as_json:
            nothing = {"latch_id": None, "offer": None, "cleared": False, "file_gone": None}
            self._streams.say(json.dumps({**nothing, **known, "said": said}))
        elif code == FAILED:
            self._streams.complain(f"bowline {NAME}: {said}")
        else:
            self._streams.say(said)
            if code == NOT_WELL:
                why = self._file.why_it_stays() or "is still there, so it still holds: `bowline status`"
                self._streams.complain(f"{self._file.path} {why}")
        return code


def _typed(question: str) -> str | None:
    if not sys.stdin.isatty():
        return None
    try:
        return input(question)
    except EOFError:
        return ""
