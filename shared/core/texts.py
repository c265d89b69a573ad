"""Reasons that others gave, as a line of text: a venue's answer may be the whole page of a proxy in its place. Pure."""

import re
from typing import Final

_PAGE: Final = re.compile(r"<(!doctype|html|head|body|\?xml)\b", re.IGNORECASE)


def in_a_line(reason: str) -> str:
    """Return what stands before any page, in one line."""
    return " ".join(_PAGE.split(reason, maxsplit=1)[0].split())
