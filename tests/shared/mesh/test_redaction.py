"""The redactor: no canary survives, whatever it hides in; no value forges, floods or breaks a line."""

import base64
import json
import re
import time
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from typing_extensions import override

from shared.mesh.redaction import ITEMS_MAX, REDACTED, SEARCHED_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, SecretRedactor

CANARY = "CANARY+/canary'0123=\\x"
DIGITS = "83920184736152"
REDACTOR = SecretRedactor([SecretStr(CANARY), SecretStr(DIGITS)])
Pair = namedtuple("Pair", ["name", "value"])  # noqa: PYI024 - the untyped kind is what libraries hand us


def written(**event: object) -> str:
    """Return an event as the JSON line it becomes."""
    return json.dumps(REDACTOR(None, "info", event), allow_nan=False)


@dataclass
class Request:
    """An object whose repr shows what it holds."""

    body: str


class Unprintable:
    """An object whose repr fails."""

    @override
    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


HIDING_PLACES: dict[str, Callable[[str], object]] = {
    "value": lambda secret: secret,
    "inside a text": lambda secret: f"GET /order?x={secret}&y=1",
    "twice": lambda secret: secret + secret,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a path of a URL": quote,
    "in a URL with small escapes": lambda secret: re.sub("%..", lambda match: match[0].lower(), quote(secret, safe="")),
    "in a path with small escapes": lambda secret: re.sub("%..", lambda match: match[0].lower(), quote(secret)),
    "in form data": lambda secret: urlencode({"a": secret}),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal in capitals": lambda secret: secret.encode().hex().upper(),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "JSON with escaped slashes": lambda secret: json.dumps({"a": secret}).replace("/", r"\/"),
    "bytes": lambda secret: f"x{secret}y".encode(),
    "bytearray": lambda secret: bytearray(secret.encode()),
    "bytes that are no text": lambda secret: b"\xff" + secret.encode(),
    "list": lambda secret: [1, [secret]],
    "tuple": lambda secret: (secret,),
    "set": lambda secret: {secret},
    "dictionary": lambda secret: {"a": {"b": [{"c": secret}]}},
    "key of a dictionary": lambda secret: {secret: 1},
    "repr of a dataclass": Request,
    "repr of an exception": ValueError,
    "repr of a mapping": lambda secret: OrderedDict(a=secret),
    "repr of a named tuple": lambda secret: Pair("a", secret),
    "path": lambda secret: Path("/srv") / secret,
    "JSON body": lambda secret: json.dumps({"a": secret}),
    "JSON in JSON": json.dumps,
    "nested repr": repr,
    "long text": lambda secret: "x" * (TEXT_CHARACTERS_MAX - 5) + secret,
}


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_a_known_secret_survives_nowhere(place: str) -> None:
    """The canary is gone from each hiding place, both halves of it, and so is a secret made of digits."""
    line = written(event="x", thing=HIDING_PLACES[place](CANARY), other=HIDING_PLACES[place](DIGITS))
    assert REDACTED[:5] in line
    assert "CANARY" not in line
    assert b"CANARY".hex() not in line.lower()
    assert base64.b64encode(b"CANARY").decode() not in line
    assert "0123" not in line
    assert DIGITS[:6] not in line


def test_a_secret_in_the_event_name_or_a_number_is_blanked() -> None:
    """The event name is a value like others, and so is a number that happens to be a secret."""
    assert "CANARY" not in written(event=f"failed {CANARY}")
    assert written(code=int(DIGITS)) == json.dumps({"code": REDACTED})


@pytest.mark.parametrize(
    "name",
    [
        "api_key",
        "apiKey",
        "API-KEY",
        "X-MBX-APIKEY",
        "OK-ACCESS-KEY",
        "OK-ACCESS-SIGN",
        "X-BAPI-SIGN",
        "sign",
        "pwd",
        "listenKey",
        "listen_key",
        "api_secret",
        "secret",
        "token",
        "listen_token",
        "password",
        "passphrase",
        "signature",
        "Authorization",
        "private_key",
        "cookie",
        "credentials",
    ],
)
def test_what_stands_behind_a_telling_name_is_blanked(name: str) -> None:
    """Values under such a name go unseen, known or not: as key, nested key, in a URL, a header dump, a repr."""
    for value in (
        {name: "hidden-value"},
        {name.encode(): ["hidden-value"]},
        f"https://host/path?a=1&{name}=hidden-value&b=2",
        f"{name}: hidden-value",
        f"{name}: Bearer hidden-value",
        repr({name: "hidden-value"}),
        json.dumps({"a": {name: "many words, hidden-value"}}),
        json.dumps({"a": json.dumps({name: "hidden-value"})}),
        repr({name.encode(): b"hidden-value"}),
        (name, "hidden-value"),
        [(name.encode(), b"hidden-value"), ("Accept", "*/*")],
        repr([(name, "hidden-value")]),
        repr([(name.encode(), b"hidden-value")]),
        json.dumps([[name, "hidden-value"]]),
    ):
        line = written(thing=value)
        assert "hidden-value" not in line
        assert REDACTED in line
    assert "hidden-value" not in json.dumps(REDACTOR(None, "info", {name: "hidden-value"}))


LISTEN_KEY = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1pqia91ma19a5s61cv6a81va65sd"


@pytest.mark.parametrize(
    ("before", "secret", "after"),
    [
        ("redis://bowline:", "hidden-value", "@127.0.0.1:6379/0"),
        ("redis://:", "hidden-value", "@127.0.0.1"),
        ("connect to postgresql+psycopg://bowline:", "hidden-val@ue", "@host:5432/mesh failed"),
        ("wss://stream.binance.com:9443/ws/", LISTEN_KEY, ""),
        ("wss://stream.binance.com/stream?streams=btcusdt@trade/", LISTEN_KEY, "/ethusdt@trade"),
        ("GET /ws/btcusdt@trade/", LISTEN_KEY, " HTTP/1.1"),
    ],
)
def test_what_is_secret_by_its_place_is_blanked(before: str, secret: str, after: str) -> None:
    """The password of a URL and the listen key of a stream go unseen; what stands around them stays."""
    assert REDACTOR(None, "info", {"event": before + secret + after}) == {"event": before + REDACTED + after}


@pytest.mark.parametrize(
    "text",
    [
        "wss://stream.binance.com:9443/ws/btcusdt@trade",
        "https://api.binance.com:443/api/v3/order?symbol=BTCUSDT",
        "redis://127.0.0.1:6379/0 answers ops@example.org",
        "signal=1 design=2 assigned: 3",
        f"money_hash={'0' * 64}",
    ],
)
def test_ordinary_texts_are_left_alone(text: str) -> None:
    """An address without password, a stream's name, a hash and words that hold `sign` stay as they are."""
    assert REDACTOR(None, "info", {"event": text}) == {"event": text}


def test_a_huge_event_is_redacted_in_time() -> None:
    """What is searched has a bound for the whole event: 300 texts of 65 kB cost a fraction of a second, not six."""
    texts = {f"k{number}": f"{number} token_x://a:b/ws/" * 3000 for number in range(300)}
    started = time.thread_time()
    line = written(event="x", **texts, last=CANARY, token="hidden-value")  # noqa: S106 - looked for in the line
    assert time.thread_time() - started < 2
    assert "CANARY" not in line
    assert "hidden-value" not in line
    assert json.loads(line)["k299"] == f"[cut: {len(texts['k299'])} characters]"


def test_ordinary_values_are_left_alone() -> None:
    """Numbers stay numbers, Decimals exact texts, and ordinary words themselves."""
    event = {"quantity": Decimal("0.10"), "n": 5, "ratio": 0.5, "yes": True, "none": None, "symbol": "BTC/USDT"}
    assert REDACTOR(None, "info", event) == {**event, "quantity": "0.10"}


@pytest.mark.parametrize("character", ["\n", "\r", "\x1b", "\x00", "\x7f", "\x85", "\u2028", "\u202e", "\ud800", "\t"])
def test_control_characters_are_written_out(character: str) -> None:
    """No value or key ends a line, moves the cursor, turns the reading direction, or fails to encode."""
    event = REDACTOR(None, "info", {f"k{character}": f"v{character}", "list": [character]})
    assert character not in str(event)
    assert character.encode("unicode_escape").decode() in event["list"][0]


@pytest.mark.parametrize(
    "value",
    [Unprintable(), [Unprintable()], 10**5000, float("nan"), float("inf"), "\ud800", type, 2**63, Ellipsis],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_rendered_still_gives_a_line(value: object) -> None:
    """An object that refuses to be shown, or that JSON has no word for, costs its value and not the line."""
    assert json.loads(written(event="x", thing=value))["event"] == "x"
    assert "CANARY" not in written(thing=value)


def test_large_values_are_cut() -> None:
    """Texts, lists, depth and the whole event have bounds."""
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    cyclic: list[object] = []
    cyclic.append(cyclic)
    wide = [[["x" * 100] * 1000] * 1000] * 1000
    line = written(text="x" * 10_000_000, deep=deep, cyclic=cyclic, wide=wide, many=list(range(10**5)))
    assert len(line) < 200_000
    assert "[cut: 10000000 characters]" in line
    assert len(json.loads(written(many=list(range(200))))["many"]) == ITEMS_MAX + 1


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.binary(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize("key", ["thing", "exception"])
def test_half_a_secret_at_a_cut_is_not_left_over(key: str) -> None:
    """Where a huge text is cut before it is searched, no part of a secret stays, wherever the cut falls."""
    for shift in range(len(CANARY) + 2):
        line = written(**{key: CANARY * (SEARCHED_CHARACTERS_MAX // len(CANARY) + 5) + "x" * shift})
        assert not re.search("CANARY|0123|canary", line)


@settings(max_examples=50)
@given(JSON_LIKE, st.text(), st.text())
def test_every_event_becomes_one_line_without_the_secret(value: object, before: str, after: str) -> None:
    """Whatever the value and whatever surrounds the secret, the event is one printable line of JSON without it."""
    line = written(event=before + CANARY + after, thing=value)
    assert line.isprintable()
    assert "CANARY" not in line


def test_without_secrets_only_names_are_blanked() -> None:
    """A process that holds no secret logs through the same redactor."""
    assert SecretRedactor()(None, "info", {"a": "b", "token": "c"}) == {"a": "b", "token": REDACTED}
