"""Defects made on purpose, as mutants.toml lists them: a few words changed in the executor, or in what it stands on.

`make mutants` changes them in a copy of the tree, one at a time, and lets the simulation look for a seed that fails.
What the simulation does not have, such as real locks, is left to a file of tests.
"""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

LIST: Final = Path(__file__).with_name("mutants.toml")


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which words become which; they stand in the file exactly once."""

    before: str
    after: str


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong, and in which file; `tests` is the file of tests that finds it, where no seed does."""

    what: str
    path: str
    edit: tuple[Edit, ...]
    tests: str = ""


def mutants() -> list[Mutant]:
    """Return all of them."""
    return msgspec.convert(tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"], list[Mutant])


def mutated(mutant: Mutant, text: str) -> str:
    """Return the text with the mutant in it; words that are not there exactly once are a mutant that has gone stale."""
    for edit in mutant.edit:
        count = text.count(edit.before)
        assert count == 1, f"{mutant.what}: `{edit.before}` stands {count} times in {mutant.path}"
        text = text.replace(edit.before, edit.after)
    return text
