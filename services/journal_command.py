"""`bowline journal show | verify | tail`: what a journal holds, whether it is whole, and what comes in.

Reads only, beside a living writer or without one. `show` prints everything intact that is in the files; `tail` goes no
further than what the writer has made durable, as every process of the mesh does.
"""

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import msgspec

from proto.codec import BadFrame, EnvelopeCodec
from proto.envelope import Envelope
from proto.named import named
from shared.core.texts import printable
from shared.mesh.journal import (
    Examination,
    Gap,
    JournalDamaged,
    JournalReader,
    Mark,
    RealDisk,
    Record,
    examine,
    journal_directory,
    mark_on,
)
from shared.mesh.settings import SettingsError, load_configuration

OK, DAMAGED, USAGE_ERROR = 0, 1, 2
ROLES = ("risk", "executor", "flattener")
TAIL_RECORDS = 10
FOLLOW_PAUSE_S = 0.2
_EVERYTHING = sys.maxsize
_NS = 1_000_000_000


@dataclass(frozen=True)
class Surroundings:
    """What the verb touches, handed in: where it writes, and how it waits before it looks again."""

    environment: Mapping[str, str]
    output: TextIO
    errors: TextIO
    pause: Callable[[], object]


class Unusable(Exception):  # noqa: N818 -- named for what it says about the argument
    """The directory named on the command line is none that can be read as a journal; the text says why."""


def main(argv: Sequence[str]) -> int:
    """Run the verb against this machine's files and the standard streams."""
    never = threading.Event()
    surroundings = Surroundings(os.environ, sys.stdout, sys.stderr, lambda: never.wait(FOLLOW_PAUSE_S))
    try:
        return run(argv, surroundings)
    except KeyboardInterrupt:  # how a person ends `tail --follow`
        return OK


def run(argv: Sequence[str], surroundings: Surroundings) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        directory = _directory(arguments.journal, arguments.root, surroundings.environment)
        disk = RealDisk(directory)
        _refuse_foreign(directory)
        if arguments.action == "verify":
            return _verify(disk, arguments, surroundings)
        if arguments.action == "show":
            return _show(disk, arguments, surroundings)
        return _tail(disk, arguments, surroundings)
    except (Unusable, SettingsError) as error:
        surroundings.errors.write(f"bowline journal: {error}\n")
        return USAGE_ERROR
    except JournalDamaged as error:
        surroundings.errors.writelines(f"{finding}\n" for finding in error.findings)
        return DAMAGED
    except OSError as error:
        surroundings.errors.write(f"bowline journal: {error.filename or arguments.journal}: {error.strerror}\n")
        return USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bowline journal", description="Read a journal, or prove it.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="show | verify | tail")
    show = actions.add_parser("show", help="every record, decoded")
    verify = actions.add_parser("verify", help="prove every byte of every segment")
    tail = actions.add_parser("tail", help=f"the last {TAIL_RECORDS} durable records, or those from a number on")
    for action in (show, verify, tail):
        action.add_argument("journal", help=f"a directory, or a role: {', '.join(ROLES)}")
        action.add_argument("--json", action="store_true", help="one JSON object a line")
        action.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="project root (this checkout)")
    for action in (show, tail):
        action.add_argument("--from", dest="start", type=_sequence, metavar="N", help="from this record on")
    tail.add_argument("--follow", action="store_true", help="wait for more, until interrupted")
    return parser


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(2**63)) or int(text) < 1:
        raise argparse.ArgumentTypeError("write a record's number, 1 or more")
    return int(text)


def _directory(named: str, root: Path, environment: Mapping[str, str]) -> Path:
    if named not in ROLES:
        return Path(named)
    configuration = load_configuration(root=root, environment=environment)
    return journal_directory(root / configuration.settings.paths.var_directory, named)


def _refuse_foreign(directory: Path) -> None:
    """Say in words why a directory is no journal that can be read."""
    if not directory.exists():
        raise Unusable(f"{directory}: there is no such directory; the roles that keep a journal: {', '.join(ROLES)}")
    if not directory.is_dir():
        raise Unusable(f"{directory}: is no directory; a journal is a directory of segments")
    if not os.access(directory, os.R_OK | os.X_OK, effective_ids=True):
        raise Unusable(f"{directory}: you may not read it; journals belong to the user the mesh runs as")
    names = sorted(entry.name for entry in directory.iterdir())
    if not any(name.endswith(".journal") or name == "committed" or name.startswith("quarantine-") for name in names):
        others = ", ".join(repr(name)[1:-1] for name in names[:3])
        raise Unusable(f"{directory}: holds no journal, but {others}" if names else f"{directory}: is empty")


def _show(disk: RealDisk, arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    examination = examine(disk)
    rows = _Rows(surroundings.output, as_json=arguments.json)
    with closing(_reader_of(disk, examination, start=arguments.start or 1)) as reader:
        while entries := reader.poll():
            rows.write(entries)
    surroundings.errors.writelines(f"{finding}\n" for finding in examination.findings)
    return DAMAGED if examination.faults else OK


def _reader_of(disk: RealDisk, examination: Examination, *, start: int) -> JournalReader:
    """Return a reader of everything intact. Where the newest segment cannot be read, it says so when it gets there."""
    newest = examination.segments[-1] if examination.segments else None
    everything = Mark(newest.number, newest.size, 0, b"") if newest else None
    return JournalReader(disk, from_sequence=start, committed=lambda: examination.mark or everything)


def _tail(disk: RealDisk, arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    rows = _Rows(surroundings.output, as_json=arguments.json)
    mark = mark_on(disk)
    if mark is None:
        surroundings.errors.write("no mark says what is durable: try `show`; the writer makes one when it starts\n")
    start = arguments.start or max(1, (mark.sequence if mark else 0) - TAIL_RECORDS + 1)
    with closing(JournalReader(disk, from_sequence=start)) as reader:
        while True:
            while entries := reader.poll():
                rows.write(entries)
            surroundings.output.flush()
            if not arguments.follow:
                return OK
            surroundings.pause()


def _verify(disk: RealDisk, arguments: argparse.Namespace, surroundings: Surroundings) -> int:
    examination = examine(disk, segments_walked=_EVERYTHING)
    unreadable = 0 if examination.faults else _unreadable(disk, examination)
    answer = _said(examination, unreadable, as_json=arguments.json)
    surroundings.output.writelines(f"{line}\n" for line in answer)
    return DAMAGED if examination.faults else OK


def _said(examination: Examination, unreadable: int, *, as_json: bool) -> Iterator[str]:
    """Say what an examination found, line by line: each segment, each finding, and the verdict."""
    end = examination.end
    verdict = "damaged" if examination.faults else "clean"
    digest = end.record_digest.hex() if end else ""
    if as_json:
        yield from (json.dumps({"segment": msgspec.to_builtins(segment)}) for segment in examination.segments)
        yield from (json.dumps({"finding": msgspec.to_builtins(finding)}) for finding in examination.findings)
        sequence = end.sequence if end else None
        answer = {"verdict": verdict, "sequence": sequence, "digest": digest, "unreadable_payloads": unreadable}
        yield json.dumps(answer)
        return
    yield f"{'segment':<28} {'date':<10} {'first':>12} {'last':>12} {'records':>9} {'bytes':>12}"
    for segment in examination.segments:
        last = "?" if segment.sequence_last is None else segment.sequence_last
        records = "?" if segment.records is None else segment.records
        first = segment.sequence_before + 1
        yield f"{segment.name:<28} {segment.date:<10} {first:>12} {last:>12} {records:>9} {segment.size:>12}"
    yield from map(str, examination.findings)
    if unreadable:
        yield f"{unreadable} payloads are no messages this version can read"
    yield f"{verdict}, up to record {end.sequence}, digest {digest}" if end else verdict


def _unreadable(disk: RealDisk, examination: Examination) -> int:
    count = 0
    with closing(_reader_of(disk, examination, start=1)) as reader:
        while entries := reader.poll():
            count += sum(isinstance(entry, Record) and isinstance(_decoded(entry), str) for entry in entries)
    return count


_codec = EnvelopeCodec()


def _decoded(record: Record) -> Envelope | str:
    """Return the message in a record, or why it is none."""
    try:
        return _codec.decode_stored(record.payload)
    except BadFrame as error:
        return str(error)


class _Rows:
    """Prints records, a line each, as columns or as JSON."""

    def __init__(self, output: TextIO, *, as_json: bool) -> None:
        self._output = output
        self._line = _json_line if as_json else _columns

    def write(self, entries: Sequence[Record | Gap]) -> None:
        """Print these."""
        self._output.writelines(f"{self._line(entry)}\n" for entry in entries)


def _columns(entry: Record | Gap) -> str:
    if isinstance(entry, Gap):
        return printable(f"{entry.sequence:>10}  gap: nothing after record {entry.after} is here; {entry.reason}")
    message = _decoded(entry)
    if isinstance(message, str):
        return printable(f"{entry.sequence:>10}  unreadable, {len(entry.payload)} bytes: {message}")
    time = f"{datetime.fromtimestamp(message.sent_wall_ns // _NS, UTC):%Y-%m-%d %H:%M:%S}"
    millisecond = message.sent_wall_ns % _NS // 1_000_000
    origin = f"{message.sender:<10} {_tag(message):<22}"
    return printable(
        f"{entry.sequence:>10}  {time}.{millisecond:03}  {origin} {message.id}  because of {message.cause_id}"
    )


def _json_line(entry: Record | Gap) -> str:
    answer: dict[str, object] = {"sequence": entry.sequence, "digest": entry.digest.hex()}
    if isinstance(entry, Gap):
        return json.dumps({**answer, "gap": {"after": entry.after, "reason": entry.reason}})
    message = _decoded(entry)
    if isinstance(message, str):
        return json.dumps({**answer, "unreadable": message, "payload": entry.payload.hex()})
    return json.dumps({**answer, "kind": _tag(message), "message": msgspec.to_builtins(named(message))})


def _tag(message: Envelope) -> str:
    return str(message.body.__struct_config__.tag)
