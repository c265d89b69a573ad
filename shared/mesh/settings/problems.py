"""What can be wrong with a configuration: one line each, saying where, which key, what, and what to do.

Text values are never quoted back, and names only when they look like a setting's: a secret pasted into the wrong place
must not travel into a terminal or a log.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from typing_extensions import override

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_SETTING_LIKE = re.compile(r"[a-z_]{1,28}")
_NEAR_ENOUGH_TO_SHOW = 0.75


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


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """Return the known name nearest to a misspelt one, or an empty text when none is near."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=cutoff)), "")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `, did you mean X?`, or nothing when no known name is near."""
    near = nearest(name, known)
    return f", did you mean {near}?" if near else ""


def is_name(text: str) -> bool:
    """Tell whether a text has the shape of a key."""
    return _NAME.fullmatch(text) is not None


def may_be_shown(name: str, known: Iterable[str]) -> bool:
    """Tell whether an unknown name looks like a setting's; any other could be a pasted secret and is not repeated."""
    if _SETTING_LIKE.fullmatch(name):
        return True
    return is_name(name) and bool(nearest(name.lower(), known, cutoff=_NEAR_ENOUGH_TO_SHOW))
