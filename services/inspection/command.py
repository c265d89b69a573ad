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

FOUND, NOTHING_FOUND, USAGE_ERROR = 0, 1, 2
PROJECT: Final = Path(__file__).parents[2]
ROLES: Final = ("risk", "executor", "flattener")  # in this order: the executor adopts what the flattener did
ROWS: Final = 20


def show(verb: str, lines: Callable[[Story], Iterator[Row]], argv: Sequence[str]) -> int:
    """Show the newest rows of a kind."""
    parser = argparse.ArgumentParser(prog=f"bowline {verb}", description=f"The newest {verb}, from the journals.")
    parser.add_argument("--root", type=Path, default=PROJECT, help="project root (this checkout)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("-n", "--rows", type=int, default=ROWS, help=f"at most so many, {ROWS} unless told")
    arguments = parser.parse_args(argv)
    story = read_story(verb, arguments.root)
    if story is None:
        return USAGE_ERROR
    rows = list(lines(story))[-max(arguments.rows, 1) :]
    if arguments.json:
        sys.stdout.writelines(json.dumps(row) + "\n" for row in rows)
    else:
        sys.stdout.writelines(f"{line}\n" for line in table(rows, f"no {verb} yet"))
    return FOUND


def read_story(verb: str, root: Path) -> Story | None:
    """Return what the journals tell, or say why nothing can be read."""

    def complain(words: object) -> None:
        sys.stderr.write(f"bowline {verb}: {words}\n")

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
