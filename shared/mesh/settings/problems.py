"""What can be wrong with a configuration: one line each, saying where, which key, what, and what to do.

Text values are never quoted back: a secret pasted into the wrong line must not travel into a terminal or a log.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from typing_extensions import override

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to put right; `key` is empty when the whole file or directory is meant."""

    where: str
    key: str
    text: str

    @override
    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.text) if part)


class SettingsError(Exception):
    """The configuration cannot be used; carries every problem found, so that one run shows them all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name nearest to a misspelt one, or an empty text when none is near."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)), "")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean X?`, or nothing when no known name is near."""
    near = nearest(name, known)
    return f", did you mean {near}?" if near else ""


def is_name(text: str) -> bool:
    """Tell whether a key looks like a name; anything else could be a pasted secret and is not repeated."""
    return _NAME.fullmatch(text) is not None
