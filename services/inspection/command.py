"""What `bowline orders`, `positions`, `fills`, `trips` and `why <id>` share: they only read the journals."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from proto.codec import BadFrame, EnvelopeCodec
from services.inspection.story import Story
from shared.core.tables import Row, table
from shared.mesh.journal import Gap, JournalDamaged, JournalReader, RealDisk, journal_directory
from shared.mesh.settings import SettingsError, load_configuration
from shared.mesh.verb import Streams

FOUND, NOTHING_FOUND, USAGE_ERROR = 0, 1, 2
PROJECT: Final = Path(__file__).parents[2]
ROLES: Final = ("risk", "executor", "flattener")  # in this order: the executor adopts what the flattener did
ROWS: Final = 20


def show(verb: str, lines: Callable[[Story], Iterator[Row]], argv: Sequence[str], *, none: str | None = None) -> int:
    """Show the newest rows of a kind, or say that there is `none`; without any journal nothing is known of it."""
    parser = argparse.ArgumentParser(prog=f"bowline {verb}", description=f"The newest {verb}, from the journals.")
    parser.add_argument("--root", type=Path, default=PROJECT, help="project root (this checkout)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("-n", "--rows", type=_number, default=ROWS, help=f"at most so many, {ROWS} unless told")
    arguments = parser.parse_args(argv)
    story = read_story(verb, arguments.root)
    if story is None:
        return USAGE_ERROR
    rows = list(lines(story))[-arguments.rows :]
    nothing = none if none is not None and story.is_begun else f"no {verb} yet"
    streams().say(*(map(json.dumps, rows) if arguments.json else table(rows, nothing)))
    return FOUND


def streams() -> Streams:
    """Return where these verbs write."""
    return Streams(sys.stdout, sys.stderr)


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("write a number of rows, 1 or more")
    return int(text)


def read_story(verb: str, root: Path) -> Story | None:
    """Return what the journals tell, or say why nothing can be read."""

    def complain(words: object) -> None:
        streams().complain(*f"bowline {verb}: {words}".splitlines())

    try:
        return _read(root, os.environ, complain)
    except (SettingsError, JournalDamaged, OSError) as error:
        complain(error)
        return None


def _read(root: Path, environment: Mapping[str, str], complain: Callable[[str], None]) -> Story:
    """Read whatever of the journals is there, and say what of it cannot be read."""
    var = root / load_configuration(root=root, environment=environment).settings.paths.var_directory
    codec, story = EnvelopeCodec(), Story()
    for role in ROLES:
        directory = journal_directory(var, role)
        if not directory.is_dir():
            continue
        with closing(JournalReader(RealDisk(directory))) as reader:
            while entries := reader.poll():
                for entry in entries:
                    if isinstance(entry, Gap):
                        continue
                    try:
                        story.take(codec.decode_stored(entry.payload))
                    except BadFrame as bad:  # of a version that is to come, or of none: the rest is worth showing
                        complain(f"record {entry.sequence} of {role}'s journal is left out, it cannot be read: {bad}")
    return story
