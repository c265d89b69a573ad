"""What Binance streamed, as it was recorded: `rawws_*.txt.gz`, with the local time before each line."""

import gzip
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from shared.market.observations import BookChange, BookWhole, Levels, Quote, Trade
from tests.recordings import recording

MILLISECOND = 1_000_000


def streamed(name: str) -> Iterator[tuple[int, BookWhole | BookChange | Trade | Quote]]:
    """Yield what Binance streamed of BTCUSDT, with the local time at which it came."""
    with gzip.open(recording(name), "rt", encoding="utf-8") as lines:
        for line in lines:
            received, _, text = line.partition(" ")
            message = msgspec.json.decode(text)
            observed = observation(message.get("stream", ""), message.get("data", message))
            if observed is not None:
                yield int(received), observed


def observation(stream: str, data: dict[str, Any]) -> BookWhole | BookChange | Trade | Quote | None:
    """Return what a message of Binance tells; not every trade is one of the market."""
    if not stream:
        return BookWhole("BTC/USDT", data["lastUpdateId"], levels(data["bids"]), levels(data["asks"]))
    if "@depth" in stream:
        bids, asks = levels(data["b"]), levels(data["a"])
        return BookChange("BTC/USDT", data["U"], data["u"], data.get("pu"), bids, asks, data["E"] * MILLISECOND)
    if stream.endswith("@bookTicker"):
        bid, bid_quantity, ask, ask_quantity = (Decimal(data[key]) for key in "bBaA")
        time_ns = data["T"] * MILLISECOND if "T" in data else None
        return Quote("BTC/USDT", data["u"], bid, bid_quantity, ask, ask_quantity, time_ns)
    if data.get("X", "MARKET") != "MARKET":
        return None  # of the insurance fund and the like
    price, quantity, time_ns = Decimal(data["p"]), Decimal(data["q"]), data["T"] * MILLISECOND
    return Trade("BTC/USDT", data["t"], price, quantity, "sell" if data["m"] else "buy", 1, time_ns)


def levels(written: list[list[str]]) -> Levels:
    """Return levels as they are written in a message."""
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in written)
