"""What the verbs of an operator are told: why, of what, and by whom. Each act is written down with both."""

import argparse
from collections.abc import Callable, Sequence
from typing import Final

from proto.fields import ID_LENGTH_MAX, clipped
from shared.mesh.verb import root_argument

REASON_CHARACTERS_MAX: Final = 500
NAME_CHARACTERS_MAX: Final = 48
SECONDS_MAX: Final = 3_600
WITHOUT_REASON: Final = "no reason given"
# Of the verbs that act at once; `services.cli` sees to it.
UNHEARD: Final = "The code is the same where its words cannot be written (a closed output, a full disk).\n"


def parser_of(
    name: str, text: str, codes: str, *, actor_type: Callable[[str], str] | None = None
) -> argparse.ArgumentParser:
    """Return the parser of a verb by which somebody acts; whatever is its own is added to it."""
    parser = argparse.ArgumentParser(
        prog=f"bowline {name}", description=text + codes, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--actor", type=actor_type or a_name, help="who acts, if not the user of this shell")
    root_argument(parser)
    return parser


def reason_argument(parser: argparse.ArgumentParser) -> None:
    """Have the verb told why."""
    parser.add_argument("reason", type=words, help="why, in a few words: it is written down with your name")


def words(text: str) -> str:
    """Return a reason as it is written down, in one line."""
    line = " ".join(text.split())
    if not line or len(line) > REASON_CHARACTERS_MAX or not line.isprintable():
        raise argparse.ArgumentTypeError(f"write why, in at most {REASON_CHARACTERS_MAX} characters that can be read")
    return line


def cleaned(said: Sequence[str]) -> str:
    """Return a reason as it is written down, whatever was typed: nothing about it keeps a kill from being one."""
    return clipped(_readable(" ".join(said)), REASON_CHARACTERS_MAX) or WITHOUT_REASON


def cleaned_name(said: str) -> str:
    """Return who kills, as far as that can be read."""
    return clipped(_readable(said), NAME_CHARACTERS_MAX)


def _readable(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def a_name(text: str) -> str:
    """Return a name as messages carry it."""
    return _at_most(text, NAME_CHARACTERS_MAX, "a name")


def an_id(text: str) -> str:
    """Return an id as messages carry it."""
    return _at_most(text, ID_LENGTH_MAX, "an id")


def a_symbol(text: str) -> str:
    """Return a symbol, in whatever letters it was written."""
    return a_name(text).upper()


def seconds(text: str) -> float:
    """Return how long to wait."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"write seconds, at most {SECONDS_MAX}")
    return number


def _at_most(text: str, characters: int, what: str) -> str:
    if not text or len(text) > characters or not text.isprintable():
        raise argparse.ArgumentTypeError(f"write {what} of at most {characters} characters that can be read")
    return text
