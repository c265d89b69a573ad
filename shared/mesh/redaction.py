"""Makes an event safe to write: plain bounded values, without secrets, without characters that could forge a line.

The last processor before rendering, so that nothing the libraries add behind it escapes. Pure; called by `logs`.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable
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
# What is searched of one text: more than is kept, so that a text full of secrets still shows something.
SEARCHED_CHARACTERS_MAX = 16 * 1024
# What is searched of one event, its tracebacks apart: searching is most of the time a log line takes.
EVENT_CHARACTERS_MAX = 128 * 1024
SHORT_CHARACTERS_MAX = (
    256  # names and ordinary values are searched whatever else the event holds; VALUES_MAX bounds them
)
CUT_CHARACTERS_MIN = 256  # dropped where a text was cut before it was searched: half a name or half a secret
TRACEBACK_CHARACTERS_MAX = 16 * 1024
TRACEBACK_SEARCHED_MAX = 32 * 1024
TRACEBACK_KEYS = frozenset({"exception", "stack"})
DEPTH_MAX = 6
ITEMS_MAX = 100
VALUES_MAX = 500
_MORE = "[more]"
_PAIR = 2
_INTEGER_MAX = 2**63
# What ends a line, moves the cursor, turns the reading direction or cannot be encoded.
_CONTROLS = r"\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
_CONTROL = re.compile(rf"[\n{_CONTROLS}]")
_CONTROL_BUT_NEWLINE = re.compile(rf"[{_CONTROLS}]")
# `signature=...` in a URL, `"apiKey": "..."` in a body or (with backslashes) in a body inside a body, `Authorization:
# Bearer ...` among headers, `('token', b'...')` in a repr. Repetitions are bounded, so that no text makes it slow.
_ASSIGNED = re.compile(
    rf"""({SECRET_NAME.pattern}[\w-]{{0,40}}\\{{0,4}}(?:["']?\s{{0,4}}[=:]|["']\s{{0,4}},)\s{{0,4}})"""
    r"""(?:b(?=["']))?(?:\\{0,4}"[^"]*|\\{0,4}'[^']*|(?:(?:bearer|basic)\s{1,4})?[^\s"'&,;)}\]]+)""",
    re.IGNORECASE | re.ASCII,
)
# What is secret by its place: the password of `scheme://user:password@host`, the listen key a stream's path ends in.
_PLACED = re.compile(
    r"""(://[^\s/:@"']{0,64}:)[^\s/"']{1,256}(?=@)|((?:/(?:ws|stream)/|[?&]streams=)(?:[^\s/"']{1,64}/){0,8})\w{48,128}"""
)

# The dresses a known secret is met in: plain, in a URL, in a repr, in JSON, as hexadecimal digits, as base64.
_FORMS: tuple[Callable[[str], str], ...] = (
    str,
    quote,
    lambda secret: quote(secret, safe=""),
    lambda secret: _small_escapes(quote(secret)),
    lambda secret: _small_escapes(quote(secret, safe="")),
    lambda secret: repr(secret)[1:-1],
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret)[1:-1].replace("/", r"\/"),
    lambda secret: secret.encode().hex(),
    lambda secret: secret.encode().hex().upper(),
    lambda secret: base64.b64encode(secret.encode()).decode().rstrip("="),
    lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
)


class _Budget:
    """What may still be looked at in one event: values to walk, and characters to search."""

    def __init__(self) -> None:
        self._values = VALUES_MAX
        self._characters = EVENT_CHARACTERS_MAX

    def has_value(self) -> bool:
        """Take one value, and say whether it was there."""
        self._values -= 1
        return self._values >= 0

    def characters(self, wanted: int) -> int:
        """Take up to the number of characters wanted for one text, and return how many were there."""
        if wanted <= SHORT_CHARACTERS_MAX:
            return wanted
        granted = min(wanted, SEARCHED_CHARACTERS_MAX, self._characters)
        self._characters -= granted
        return granted


class SecretRedactor:
    """A structlog processor over whole events: key names, values, nested values, reprs and tracebacks.

    A value is first made plain, because a secret hides in any repr; then redacted; and cut last, because half a
    secret would no longer be found.
    """

    def __init__(self, secrets: Iterable[SecretStr] = ()) -> None:
        known = {secret.get_secret_value() for secret in secrets} - {""}
        longest_first = sorted(
            {form(secret) for secret in known for form in _FORMS}, key=lambda text: (-len(text), text)
        )
        self._cut = max(CUT_CHARACTERS_MIN, *map(len, longest_first), 0)
        pattern = "|".join(re.escape(text) for text in longest_first)
        self._known = re.compile(pattern) if known else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Return the event with every key and value safe to write."""
        budget = _Budget()
        return {self._text(key, budget): self._entry(key, value, budget, depth=0) for key, value in event.items()}

    def redacted(self, text: str) -> str:
        """Return the text without any known secret and without what stands behind a secret's name."""
        known = text if self._known is None else self._known.sub(REDACTED, text)
        return _PLACED.sub(rf"\1\2{REDACTED}", _ASSIGNED.sub(rf"\1{REDACTED}", known))

    def _beginning(self, text: str, characters: int) -> str:
        """Return the redacted beginning of a text; where it was cut, part of a secret may stand, so that goes too."""
        if len(text) <= characters:
            return self.redacted(text)
        return self.redacted(text[:characters])[: -self._cut]

    def _end(self, text: str) -> str:
        """Return the redacted end of a text, by the same reasoning."""
        if len(text) <= TRACEBACK_SEARCHED_MAX:
            return self.redacted(text)
        return self.redacted(text[-TRACEBACK_SEARCHED_MAX:])[self._cut :]

    def _entry(self, key: object, value: object, budget: _Budget, *, depth: int) -> object:
        if _is_secret_name(_rendered(key)):
            return REDACTED
        if isinstance(value, str) and key in TRACEBACK_KEYS and depth == 0:
            # The end of a traceback says what happened; its beginning is only the way there.
            return _CONTROL_BUT_NEWLINE.sub(_escaped, self._end(value))[-TRACEBACK_CHARACTERS_MAX:]
        return self._plain(value, budget, depth=depth)

    def _plain(self, value: object, budget: _Budget, *, depth: int) -> object:
        if value is None or isinstance(value, bool):
            return value
        if depth > DEPTH_MAX or not budget.has_value():
            return _MORE
        # Exact types only: a subclass may misbehave while it is walked, and its repr serves as well.
        if type(value) is dict:
            items = islice(tuple(value.items()), ITEMS_MAX)
            return {self._text(key, budget): self._entry(key, item, budget, depth=depth + 1) for key, item in items}
        if type(value) in {list, tuple, set, frozenset}:
            return self._items(value, budget, depth=depth + 1)
        return value if self._is_harmless_number(value) else self._text(value, budget)

    def _items(self, value: object, budget: _Budget, *, depth: int) -> list[object]:
        assert isinstance(value, list | tuple | set | frozenset)  # our caller has looked at its type
        if type(value) in {list, tuple} and len(value) == _PAIR:
            name, _ = value
            if isinstance(name, str | bytes) and _is_secret_name(_rendered(name)):
                return [self._text(name, budget), REDACTED]  # a header, as HTTP clients hold them
        items: list[object] = [self._plain(item, budget, depth=depth) for item in islice(tuple(value), ITEMS_MAX)]
        return items if len(value) <= ITEMS_MAX else [*items, _MORE]

    def _is_harmless_number(self, value: object) -> bool:
        """Tell whether a number may stay a number: finite, of JSON's size, and not a secret made of digits."""
        if type(value) is int:
            return abs(value) < _INTEGER_MAX and self.redacted(str(value)) == str(value)
        return type(value) is float and isfinite(value)

    def _text(self, value: object, budget: _Budget) -> str:
        rendered = _rendered(value)
        characters = budget.characters(len(rendered))
        text = _CONTROL.sub(_escaped, self._beginning(rendered, characters))
        if len(text) <= TEXT_CHARACTERS_MAX and len(rendered) <= characters:
            return text
        return f"{text[:TEXT_CHARACTERS_MAX]}[cut: {len(rendered)} characters]"


def _small_escapes(url: str) -> str:
    """Return the URL with its percent escapes in small letters, which some clients write."""
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), url)


def _is_secret_name(name: str) -> bool:
    """Say whether secrets travel under the name; what is longer than a name is searched as a text."""
    return SECRET_NAME.search(name[:TEXT_CHARACTERS_MAX]) is not None


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
