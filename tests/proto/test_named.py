"""Messages with the names of their fields."""

from proto.market import SymbolDoubted
from proto.measures import FeedCounted, Tally
from proto.named import named


def test_every_struct_within_has_its_names() -> None:
    """A message becomes a mapping, its parts too, a tuple becomes a list, and a plain value stays."""
    counted = FeedCounted(venue="binance", symbol=None, took=(Tally("trade", 3),), refused=())
    assert named(counted) == {
        "venue": "binance",
        "symbol": None,
        "took": [{"what": "trade", "count": 3}],
        "refused": [],
    }
    assert named(SymbolDoubted(symbol="BTC/USDT", reasons=("late",))) == {"symbol": "BTC/USDT", "reasons": ["late"]}
