"""What is written into Redis once a second, as commands. Pure; docs/metrics.md says what each key holds.

Every key is made anew, whatever stood under its name, and lives a while beyond the last writing: what nobody writes
any more is soon gone, and cannot be taken for current. Only histories grow, and are cut to their bound.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from proto.measures import MeasuresGiven, ProcessMeasured, SymbolMeasured

SCHEMA_VERSION: Final = "1"
SCHEMA: Final = "bowline:schema"
SYMBOLS: Final = "bowline:symbols"
PROCESSES: Final = "bowline:processes"
HISTORY_POINTS_MAX: Final = 600
LATEST_LIVES_S: Final = 60
HISTORY_LIVES_S: Final = 3_600
_NS_PER_MS: Final = 1_000_000

Command = tuple[str | int | bytes, ...]


def commands_for(measures: MeasuresGiven) -> Iterator[Command]:
    """Yield the commands that write these measures, to be performed all together."""
    symbols = _one_of_each(measures.symbols)
    yield ("SET", SCHEMA, SCHEMA_VERSION, "EX", LATEST_LIVES_S)
    yield from _names(SYMBOLS, sorted(symbols))
    yield from _names(PROCESSES, [process.instance for process in measures.processes if process.epoch])
    for name, symbol in symbols.items():
        yield from _hash(f"bowline:symbol:{name}", symbol, measures.taken_wall_ns)
        history = history_key(name)
        yield ("LPUSH", history, _point(symbol, measures.taken_wall_ns))
        yield ("LTRIM", history, 0, HISTORY_POINTS_MAX - 1)
        yield ("EXPIRE", history, HISTORY_LIVES_S)
    for process in measures.processes:
        if process.epoch:
            yield from _hash(f"bowline:process:{process.instance}", process, measures.taken_wall_ns)


def history_key(name: str) -> str:
    """Return the key of a symbol's history."""
    return f"bowline:history:{name}"


def _one_of_each(symbols: Sequence[SymbolMeasured]) -> dict[str, SymbolMeasured]:
    """Return each symbol by its name; of those that two feeds tell, the one that was heard last."""
    chosen: dict[str, SymbolMeasured] = {}
    for symbol in symbols:
        name = f"{symbol.venue}:{symbol.symbol}"
        if name not in chosen or _age(symbol) < _age(chosen[name]):
            chosen[name] = symbol
    return chosen


def _age(symbol: SymbolMeasured) -> float:
    return float("inf") if symbol.received_age_ns is None else symbol.received_age_ns


def _names(key: str, names: Sequence[str]) -> Iterator[Command]:
    yield ("DEL", key)
    if names:
        yield ("SADD", key, *names)
        yield ("EXPIRE", key, LATEST_LIVES_S)


def _hash(key: str, measured: SymbolMeasured | ProcessMeasured, taken_wall_ns: int) -> Iterator[Command]:
    fields: list[str | int | bytes] = ["taken_wall_ns", taken_wall_ns]
    for field in measured.__struct_fields__:
        value = getattr(measured, field)
        if value is not None:
            fields += [field, _text(value)]
    yield ("DEL", key)
    yield ("HSET", key, *fields)
    yield ("EXPIRE", key, LATEST_LIVES_S)


def _point(symbol: SymbolMeasured, taken_wall_ns: int) -> bytes:
    """Return one second of a symbol: when, mid price, spread and messages a second; numbers as text, or null."""
    numbers = (symbol.mid_price, symbol.spread_bps, symbol.messages_per_second)
    texts = [None if number is None else _text(number) for number in numbers]
    return msgspec.json.encode([taken_wall_ns // _NS_PER_MS, *texts])


def _text(value: Decimal | int | str | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)
