"""Makes an event safe to write: plain bounded values, without secrets, without characters that could forge a line.

The last processor before rendering, so that nothing the libraries add behind it escapes. Pure; called by `logs`.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from math import isfinite
from pathlib import PurePath
from urllib.parse import quote

from pydantic import SecretStr
from structlog.typing import EventDict, WrappedLogger

from shared.mesh.secret_names import SECRET_NAME

REDACTED = "[redacted]"
TEXT_CHARACTERS_MAX = 4096
# What is searched of one text: far more than is kept, so that a text full of secrets still shows something.
SEARCHED_CHARACTERS_MAX = 64 * 1024
TRACEBACK_CHARACTERS_MAX = 16 * 1024
TRACEBACK_KEYS = frozenset({"exception", "stack"})
DEPTH_MAX = 6
ITEMS_MAX = 100
VALUES_MAX = 500
_MORE = "[more]"
_INTEGER_MAX = 2**63
# What ends a line, moves the cursor, turns the reading direction or cannot be encoded.
_CONTROLS = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
_CONTROL = re.compile(rf"[\n{_CONTROLS}]")
_CONTROL_BUT_NEWLINE = re.compile(rf"[{_CONTROLS}]")
# `signature=...` in a URL, `"apiKey": "..."` in a body or (with backslashes) in a body inside a body, `Authorization:
# Bearer ...` among headers, `'token': b'...'` in a repr. Repetitions are bounded, so that no text makes it slow.
_ASSIGNED = re.compile(
    rf"""((?:{SECRET_NAME.pattern})[\w-]{{0,40}}\\{{0,4}}["']?\s{{0,4}}[=:]\s{{0,4}})"""
    r"""(?:b(?=["']))?(?:\\{0,4}"[^"]*|\\{0,4}'[^']*|(?:(?:bearer|basic)\s{1,4})?[^\s"'&,;)}\]]+)""",
    re.IGNORECASE,
)


class SecretRedactor:
    """A structlog processor over whole events: key names, values, nested values, reprs and tracebacks.

    A value is first made plain, because a secret hides in any repr; then redacted; and cut last, because half a
    secret would no longer be found.
    """

    def __init__(self, secrets: Iterable[SecretStr] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret.get_secret_value())}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._longest = max((len(form) for form in forms), default=1)
        self._known = re.compile("|".join(re.escape(form) for form in longest_first)) if forms else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the event with every key and value safe to write."""
        budget = iter(range(VALUES_MAX))
        return {self._text(key): self._entry(key, value, budget, depth=0) for key, value in event.items()}

    def redacted(self, text: str) -> str:
        """Return the text without any known secret and without what stands behind a secret's name."""
        known = text if self._known is None else self._known.sub(REDACTED, text)
        return _ASSIGNED.sub(rf"\1{REDACTED}", known)

    def _beginning(self, text: str) -> str:
        """Return the redacted beginning of a text; where it was cut, part of a secret may stand, so that goes too."""
        if len(text) <= SEARCHED_CHARACTERS_MAX:
            return self.redacted(text)
        return self.redacted(text[:SEARCHED_CHARACTERS_MAX])[: -self._longest]

    def _end(self, text: str) -> str:
        """Return the redacted end of a text, by the same reasoning."""
        if len(text) <= SEARCHED_CHARACTERS_MAX:
            return self.redacted(text)
        return self.redacted(text[-SEARCHED_CHARACTERS_MAX:])[self._longest :]

    def _entry(self, key: object, value: object, budget: Iterator[int], *, depth: int) -> object:
        if SECRET_NAME.search(_rendered(key)) is not None:
            return REDACTED
        if isinstance(value, str) and key in TRACEBACK_KEYS and depth == 0:
            # The end of a traceback says what happened; its beginning is only the way there.
            return _CONTROL_BUT_NEWLINE.sub(_escaped, self._end(value))[-TRACEBACK_CHARACTERS_MAX:]
        return self._plain(value, budget, depth=depth)

    def _plain(self, value: object, budget: Iterator[int], *, depth: int) -> object:
        if value is None or isinstance(value, bool):
            return value
        if depth > DEPTH_MAX or next(budget, None) is None:
            return _MORE
        # Exact types only: a subclass may misbehave while it is walked, and its repr serves as well.
        if type(value) is dict:
            items = islice(tuple(value.items()), ITEMS_MAX)
            return {self._text(key): self._entry(key, item, budget, depth=depth + 1) for key, item in items}
        if type(value) in {list, tuple, set, frozenset}:
            return self._items(value, budget, depth=depth + 1)
        return value if self._is_harmless_number(value) else self._text(value)

    def _items(self, value: object, budget: Iterator[int], *, depth: int) -> list[object]:
        assert isinstance(value, list | tuple | set | frozenset)
        items: list[object] = [self._plain(item, budget, depth=depth) for item in islice(tuple(value), ITEMS_MAX)]
        return items if len(value) <= ITEMS_MAX else [*items, _MORE]

    def _is_harmless_number(self, value: object) -> bool:
        """Tell whether a number may stay a number: finite, of JSON's size, and not a secret made of digits."""
        if type(value) is int:
            return abs(value) < _INTEGER_MAX and self.redacted(str(value)) == str(value)
        return type(value) is float and isfinite(value)

    def _text(self, value: object) -> str:
        rendered = _rendered(value)
        text = _CONTROL.sub(_escaped, self._beginning(rendered))
        if len(text) <= TEXT_CHARACTERS_MAX and len(rendered) <= SEARCHED_CHARACTERS_MAX:
            return text
        return f"{text[:TEXT_CHARACTERS_MAX]}[cut: {len(rendered)} characters]"


def _forms(secret: str) -> set[str]:
    """Return the dresses a secret is met in: plain, in a URL, inside a repr, inside JSON, as base64."""
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret, safe=""), repr(secret)[1:-1], json.dumps(secret)[1:-1], encoded} if secret else set()


def _rendered(value: object) -> str:
    """Return any object as text; one that cannot be rendered is named by its type."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", errors="backslashreplace")
    try:
        return str(value) if isinstance(value, Decimal | PurePath) else repr(value)
    except Exception:  # noqa: BLE001 - a stranger's repr may raise anything, and a log line must not end a process
        return f"<unprintable {type(value).__name__}>"


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
