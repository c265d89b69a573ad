"""What came of one request, before anybody judged it: an answer as it came, or none."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. It may be the venue's, a proxy's, or about something else altogether."""

    status: int
    headers: Mapping[str, str]  # by names in small letters
    body: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No whole answer came. `may_have_left` is False only where it is sure that not a byte of the request has left."""

    reason: str
    may_have_left: bool


Heard = Reply | Silence
