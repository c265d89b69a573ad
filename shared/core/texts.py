"""What others gave as a reason, as a line of text that can be shown. Pure."""

import re
from typing import Final

_PAGE: Final = re.compile(r"<(!doctype|html|head|body|\?xml)\b", re.IGNORECASE)


def in_a_line(reason: str) -> str:
    """Return what stands before any page, in one line: a venue's answer may be the page of a proxy in its place."""
    return " ".join(_PAGE.split(reason, maxsplit=1)[0].split())


def printable(text: str) -> str:
    """Return a text without what would do something to a terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)
