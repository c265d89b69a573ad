"""`bowline logs [instance…]`: the last lines of the processes' logs, and what is added to them."""

import argparse
import io
import os
import select
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from services.supervision.log_file import LogFile, last_lines
from services.supervision.mesh import Mesh
from shared.mesh.verb import OK, NotDoneError, Streams, root_argument, run_verb

LINES_DEFAULT: Final = 10
FOLLOW_PAUSE_MS: Final = 200


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout, until it is interrupted."""
    return run(argv, environment=os.environ, streams=Streams(sys.stdout, sys.stderr))


def run(argv: Sequence[str], *, environment: Mapping[str, str], streams: Streams) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)

    def verb() -> int:
        mesh = Mesh.as_far_as_known(arguments.root, environment)
        for doubt in mesh.doubts:
            streams.complain(f"bowline logs: {doubt}")
        files = [LogFile(name, mesh.log(name)) for name in _chosen(mesh, arguments.instances)]
        try:
            if not _show(files, streams, count=arguments.lines):
                logs_directory = mesh.configuration.logs_directory
                streams.complain(f"bowline logs: nothing in {logs_directory} yet; `bowline up` starts the mesh")
            if arguments.follow:
                _follow(files, streams)
        finally:
            for file in files:
                file.close()
        return OK

    return run_verb("logs", streams, verb)


def _show(files: Sequence[LogFile], streams: Streams, *, count: int) -> bool:
    """Show the last lines of each, and tell whether there are logs at all."""
    opened = {file: file.open() for file in files}
    for file, lines in opened.items():
        _write(streams, file, last_lines(lines, count), _width(files))
    return any(opened.values())


def _follow(files: Sequence[LogFile], streams: Streams) -> None:
    """Show what is added, until Ctrl-C, or until nobody reads it any more: `bowline logs | head -1`."""
    poll = select.poll()
    with suppress(io.UnsupportedOperation):  # a text in memory, which is always read
        poll.register(streams.output.fileno(), 0)  # asks for nothing but what is always told: the other end is gone
    try:
        while not poll.poll(FOLLOW_PAUSE_MS):
            for file in files:
                _write(streams, file, file.added(), _width(files))
    except KeyboardInterrupt:  # how a person ends it
        return


def _width(files: Sequence[LogFile]) -> int:
    return max(len(file.name) for file in files) if len(files) > 1 else 0


def _chosen(mesh: Mesh, instances: Sequence[str]) -> Sequence[str]:
    directory = mesh.configuration.logs_directory
    known = sorted({*mesh.programs.stop_wait_s, *(file.stem for file in directory.glob("*.log"))})
    for instance in instances:
        if instance not in known:
            raise NotDoneError(f"{instance!r} has no log in {directory}; there are {', '.join(known)}")
    return instances or known


def _write(streams: Streams, file: LogFile, lines: Sequence[str], width: int) -> None:
    """Write lines with the instance in front, where there are several files."""
    front = f"{file.name:<{width}} | " if width else ""
    streams.output.writelines(f"{front}{line}\n" for line in lines)
    if lines:
        streams.output.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bowline logs", description="Show the end of the logs and follow them; Ctrl-C ends it."
    )
    parser.add_argument("instances", nargs="*", metavar="instance", help="such as overseer; all by default")
    parser.add_argument(
        "-n",
        "--lines",
        type=_count,
        default=LINES_DEFAULT,
        help=f"so many of the last lines, by default {LINES_DEFAULT}",
    )
    parser.add_argument("--no-follow", dest="follow", action="store_false", help="end after the last lines")
    root_argument(parser)
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError("write a number of lines, 0 or more")
    return int(text)
