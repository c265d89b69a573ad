"""Reasons as a line of text: what comes from a venue, or from what stands before it, may be a whole page."""

import re
from typing import Final

from proto.fields import clipped
from proto.measures import REASON_LENGTH_MAX

_PAGE: Final = re.compile(r"<(!doctype|html|head|body|\?xml)\b.*", re.IGNORECASE | re.DOTALL)
_NOT_SAID: Final = "it does not say why"


def in_a_line(reason: str) -> str:
    """Return a reason without the page it holds, in one line that is not too long."""
    return clipped(" ".join(_PAGE.sub("", reason).split()) or _NOT_SAID, REASON_LENGTH_MAX)
