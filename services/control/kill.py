"""`bowline kill`: no entries, and everything is closed, until somebody clears it. The file comes first.

It needs nobody alive: whoever starts later finds the file. Who is told as well only acts a moment sooner. A file
that is there gives its place to the new one: its latch may have been cleared, and then the file goes, and this kill
would go with it.
"""

import argparse
import os
import select
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from proto.control import ControlDone, Kill
from proto.risk import Latch
from services.control.arguments import UNHEARD, cleaned, cleaned_name, parser_of, seconds
from services.control.asking import SILENT, actor, replies_of, words_of
from services.control.flatness import WAIT_SECONDS, FlatnessWatch
from shared.core.durations import duration
from shared.mesh.clock import SystemClock
from shared.mesh.halt_file import HaltFile
from shared.mesh.private_directory import FileUnusableError
from shared.mesh.settings import Configuration, hides_the_place, load_whereabouts
from shared.mesh.verb import EXPECTED, FAILED, OK, Streams, run_verb

NAME: Final = "kill"
NOT_LATCHED: Final = 3
TOLD: Final = ("risk", "executor", "flattener")
# They look for the file twenty times a second: whoever has seen it when it is told makes no latch of its own.
SEEN_MS: Final = 150
_NS_PER_S: Final = 1_000_000_000
TEXT: Final = """\
Stop: no entry leaves any more, and everything the bot holds is sold, again and again until it is flat. The HALT file is
made first (var/HALT), so it holds with every process dead, and outlives restarts. `bowline clear-kill` ends it. Pressed
anew it is a new latch in the place of the one that stood.
"""
CODES: Final = f"""\
Exit codes: 0 latched, and FLAT was read back (with --no-wait: latched), 1 latched, but not said to be flat by now,
2 wrong usage, so NOT latched, 3 NOT latched, or not known to be: settings that cannot be read hide where the mesh is.
{UNHEARD}"""


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    options, after = _parted(argv)
    try:
        arguments = _parser().parse_intermixed_args(options)
    except SystemExit as ended:
        if ended.code:
            streams.complain("NOTHING IS LATCHED: this was not understood. `bowline kill` and no more is enough.")
        raise

    def killed() -> int:
        wait_s = _patience(arguments.wait, streams)
        configuration, problems = load_whereabouts(root=arguments.root.absolute(), environment=environment)
        for problem in problems:
            streams.complain(f"bowline {NAME}: {problem}")
        act = Kill(arguments.actor or actor(), cleaned([*arguments.reason, *after]))
        is_place_known = not hides_the_place(configuration, problems)
        return _kill(configuration, act, wait_s, streams, is_place_known=is_place_known)

    return run_verb(NAME, streams, killed)


def _parted(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return what stands before a `--`, and the words of the reason behind it, whatever they look like."""
    place = argv.index("--") if "--" in argv else len(argv)
    return argv[:place], argv[place + 1 :]


def _kill(
    configuration: Configuration, act: Kill, wait_s: float | None, streams: Streams, *, is_place_known: bool
) -> int:
    latch = _latched(configuration, act, streams, "HALTED" if is_place_known else "PRESSED IN THE DEFAULT PLACE")
    if not _told(configuration, act, streams):
        if latch is None:
            streams.complain("NOT LATCHED: there is no HALT file, and nobody has taken the word for it")
            return NOT_LATCHED
        if not is_place_known:
            streams.complain(
                f"NOT KNOWN TO BE LATCHED: the settings cannot be read, and so not where the mesh looks for the file; "
                f"{configuration.halt_directory} is the default, and nobody has answered from there",
                "put the settings right and press again, or `touch HALT` in the var_directory of the mesh",
            )
            return NOT_LATCHED
    if latch is None:
        return FAILED
    if wait_s is None:
        return OK
    with FlatnessWatch(configuration.var_directory, streams, SystemClock()) as watch:
        return OK if watch.is_latch_flat(latch, wait_s) else FAILED


def _patience(said: str | None, streams: Streams) -> float | None:
    """Return how long to wait: that this cannot be read keeps no kill from being one."""
    try:
        return None if said is None else seconds(said)
    except argparse.ArgumentTypeError as error:
        streams.complain(f"--wait {said}: {error}; the kill is pressed all the same, and FLAT not waited for")
        return 0.0


def _latched(configuration: Configuration, act: Kill, streams: Streams, word: str) -> Latch | None:
    """Make the file, in the place of one that is there, and return its latch; None if that cannot be."""
    wall_ns = SystemClock().wall_ns()
    file = HaltFile(configuration.halt_directory)
    stood = file.latch()
    latch = Latch(f"kill-{wall_ns}", act.actor, act.reason, wall_ns)
    try:
        why_empty = file.press(latch)
    except FileUnusableError as error:
        streams.complain(f"the HALT file cannot be made, so only who is told knows: {error}")
        return None
    if why_empty:
        latch = file.latch() or latch
        streams.complain(f"{file.path} latches, but your name and reason are not in it: {why_empty}")
    streams.say(f"{word}: {file.path} is there, for the kill latch {latch.latch_id}")
    if stood is not None:
        age = duration(max(wall_ns - stood.set_wall_ns, 0) / _NS_PER_S)
        streams.say(f"one stood already, for {age}: {stood.latch_id}, by {stood.actor}: {stood.reason}")
    select.poll().poll(SEEN_MS)
    return latch


def _told(configuration: Configuration, act: Kill, streams: Streams) -> bool:
    """Tell whoever lives, say what each answered, and return whether one of them has taken it."""
    try:
        replies = replies_of(configuration, TOLD, act)
    except EXPECTED as error:
        streams.complain(f"nobody can be told: {error}")
        return False
    for instance, reply in zip(TOLD, replies, strict=True):
        if reply is None:
            streams.complain(f"{instance} {SILENT}; the HALT file counts all the same")
        else:
            streams.say(f"{instance}: {words_of(reply)}")
    return any(isinstance(reply, ControlDone) for reply in replies)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of(NAME, TEXT, CODES, actor_type=cleaned_name)
    parser.add_argument("reason", nargs="*", help="why, in a few words: what of it can be read is written down")
    wait = f"so long for FLAT, {WAIT_SECONDS:g} s if not told"
    parser.add_argument("--wait", default=f"{WAIT_SECONDS:g}", metavar="S", help=wait)
    parser.add_argument("--no-wait", dest="wait", action="store_const", const=None, help="do not wait for FLAT")
    return parser
