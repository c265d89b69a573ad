"""The parameters of a request: text in, checked values out, refused in the venue's words. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import unquote_plus

import msgspec

from services.sim_exchange.face import refusals
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.face.signing import SIGNATURE

PARAMETERS_MAX: Final = 100
ENVELOPE: Final = frozenset({"timestamp", "recvWindow", SIGNATURE, "apiKey"})  # read by whoever lets a request in

DECIMAL: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
INTEGER: Final = r"^[0-9]{1,20}$"
WINDOW: Final = r"^[0-9]{1,20}(\.[0-9]{1,3})?$"
SYMBOL: Final = r"^[A-Z0-9-_.]{1,20}$"
CLIENT_ID: Final = r"^[a-zA-Z0-9-_]{1,36}$"

_Word = TypeVar("_Word", bound=str)


def parsed(*raw: str) -> dict[str, str]:
    """Return the parameters in raw queries and bodies, each name once."""
    found: dict[str, str] = {}
    if not all(text.isascii() for text in raw):  # whatever else there is has to be percent-encoded
        raise RefusalError(-1100, "Illegal characters found in a parameter.")
    for part in (part for text in raw for part in text.split("&") if part):
        name, _, value = part.partition("=")
        name = unquote_plus(name)
        if name in found:
            raise refusals.duplicate_parameter(name)
        if len(found) == PARAMETERS_MAX:
            raise refusals.too_many_parameters(PARAMETERS_MAX, PARAMETERS_MAX + 1)
        found[name] = unquote_plus(value)
    return found


class Parameters:
    """What was sent. It remembers what was read: the venue refuses a request with anything else in it."""

    def __init__(self, sent: Mapping[str, str]) -> None:
        self._sent: Final = sent
        self._read: Final = set(ENVELOPE & sent.keys())

    def has(self, name: str) -> bool:
        """Say whether the parameter was sent with something in it."""
        self._read.add(name)
        return bool(self._sent.get(name))

    def text(self, name: str, legal: str | None = None) -> str | None:
        """Return what was sent, None where nothing was."""
        if not self.has(name):
            return None
        value = self._sent[name]
        if legal is not None and not re.fullmatch(legal, value, re.ASCII):
            raise refusals.illegal_characters(name, legal)
        return value

    def required(self, name: str, legal: str | None = None) -> str:
        """Return what was sent, and refuse when nothing was."""
        value = self.text(name, legal)
        if value is None:
            raise refusals.mandatory_missing(name)
        return value

    def symbol(self, name: str = "symbol") -> str:
        """Return a symbol as it is written; whether it is listed the caller knows."""
        return self.required(name, SYMBOL)

    def client_id(self, name: str) -> str | None:
        """Return an id of the client's own making."""
        return self.text(name, CLIENT_ID)

    def integer(self, name: str) -> int | None:
        """Return a whole number."""
        value = self.text(name, INTEGER)
        return None if value is None else int(value)

    def bounded(self, name: str, *, usual: int, most: int) -> int:
        """Return a count of rows: at least one, and no more than the venue gives."""
        value = self.integer(name)
        if value is None:
            return usual
        if value < 1:
            raise refusals.illegal_characters(name, "^[1-9][0-9]*$") if value < 0 else refusals.mandatory_missing(name)
        return min(value, most)

    def decimal(self, name: str, *, digits: int) -> Decimal | None:
        """Return an amount or a price with at most so many digits behind the point."""
        value = self.text(name, DECIMAL)
        if value is None:
            return None
        if len(value.partition(".")[2].rstrip("0")) > digits:
            raise refusals.too_much_precision(name)
        return Decimal(value)

    def required_decimal(self, name: str, *, digits: int) -> Decimal:
        """Return an amount or a price that has to be there."""
        value = self.decimal(name, digits=digits)
        if value is None:
            raise refusals.mandatory_missing(name)
        return value

    def word(self, name: str, known: tuple[_Word, ...], unknown: RefusalError) -> _Word | None:
        """Return one of the known words."""
        value = self.text(name)
        if value is None:
            return None
        for word in known:
            if word == value:
                return word
        raise unknown

    def flag(self, name: str) -> bool | None:
        """Return a yes or no."""
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in {"true", "false"}:
            raise refusals.illegal_characters(name, "^(true|false)$")
        return value.lower() == "true"

    def words(self, name: str) -> list[str] | None:
        """Return a list of symbols in JSON."""
        value = self.text(name)
        if value is None:
            return None
        try:
            found = msgspec.json.decode(value, type=list[str])
        except (msgspec.DecodeError, RecursionError):
            found = []
        if not found:
            raise refusals.illegal_characters(name, r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$')
        return found

    def check_all_read(self, *, is_signed: bool) -> None:
        """Refuse a request with something in it that nobody asked for."""
        read = len(self._read & self._sent.keys())
        if read < len(self._sent):
            refuse = refusals.unread_parameters if is_signed else refusals.too_many_parameters
            raise refuse(read, len(self._sent))
