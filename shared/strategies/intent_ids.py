"""The names of entries and exits: the same for the same wish, so that asking twice is asking once, always."""

from typing import Final

from proto.fields import ID_LENGTH_MAX, Side

SEPARATOR: Final = "|"


def intent_id(*, strategy: str, symbol: str, bar_close_time_ns: int, side: Side, number: int = 0) -> str:
    """Return the id of the entry wished for at the close of a bar; `number` tells apart those of one bar and side."""
    return _joined(strategy, symbol, str(bar_close_time_ns), side, str(number))


def exit_id(*, strategy: str, symbol: str, bar_close_time_ns: int) -> str:
    """Return the id of the exit wished for at the close of a bar."""
    return _joined(strategy, symbol, str(bar_close_time_ns), "exit")


def _joined(*parts: str) -> str:
    assert not any(SEPARATOR in part for part in parts), f"{parts} cannot be told apart with {SEPARATOR} in a name"
    joined = SEPARATOR.join(parts)
    assert len(joined) <= ID_LENGTH_MAX, f"{joined} is longer than an id: give the strategy a shorter name"
    return joined
