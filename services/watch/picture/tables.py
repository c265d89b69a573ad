"""The three tables: symbols, processes and hops."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, TypeVar

from proto.measures import HopMeasured, ProcessMeasured, SymbolMeasured
from services.watch.picture import figures
from services.watch.picture.concerns import Concern, about_process, about_symbol
from services.watch.picture.figures import Places
from services.watch.picture.layout import Column, Line, Span, Tone, printable, table
from services.watch.picture.sight import TRAIL_MAX, Sight, key_of, places_of

# As wide as what changes from one look to the next may become, while all is well.
SPAN: Final = len("999 ms")
UPTIME: Final = len("59 min 59 s")
MEMORY: Final = len("999 MiB")

Row = TypeVar("Row")


def symbols_table(symbols: Sequence[SymbolMeasured], sight: Sight, width: int) -> list[Line]:
    """Return what is known of each symbol."""
    column, trails = partial(_column, symbols), sight.trails

    def priced(value: Callable[[SymbolMeasured], Decimal | None]) -> Callable[[SymbolMeasured], str]:
        return lambda symbol: figures.price(value(symbol), places(symbol))

    def places(symbol: SymbolMeasured) -> Places:
        return sight.places.get(key_of(symbol)) or places_of(symbol)

    ways = [Span(figures.sparkline(trails.get(key_of(symbol), ())).rjust(TRAIL_MAX)) for symbol in symbols]
    columns = [
        column("symbol", lambda symbol: symbol.symbol, to_the_right=False),
        column("feed", lambda symbol: symbol.feed, rank=6, to_the_right=False),
        column("bid", priced(lambda symbol: symbol.bid_price), rank=1),
        column("ask", priced(lambda symbol: symbol.ask_price), rank=2),
        column("spread bps", lambda symbol: figures.spread(symbol.spread_bps, places(symbol)), rank=3),
        column("last", priced(lambda symbol: symbol.last_price), rank=5),
        Column("mid price", ways, rank=7),
        column("age", lambda symbol: figures.span(symbol.received_age_ns), least=SPAN),
        column("venue age", lambda symbol: figures.span(symbol.exchange_age_ns), rank=9),
        column("msgs/s", lambda symbol: figures.rounded(symbol.messages_per_second), rank=4),
        column("refused", lambda symbol: figures.count(symbol.refused_count), rank=8),
        Column("state", [_state(about_symbol(symbol), "open") for symbol in symbols], to_the_right=False),
    ]
    return table([column for column in columns if trails or column.cells is not ways], width)


def processes_table(processes: Sequence[ProcessMeasured], width: int) -> list[Line]:
    """Return what is known of each process; nothing but its name of one that was never heard."""

    def heard(text: Callable[[ProcessMeasured], str]) -> Callable[[ProcessMeasured], str]:
        return lambda process: text(process) if process.epoch else figures.NOT_KNOWN

    column = partial(_column, processes)
    columns = [
        column("process", lambda process: process.instance, to_the_right=False),
        Column("state", [_state(about_process(process), "running") for process in processes], to_the_right=False),
        column("pid", heard(lambda process: str(process.process_id)), rank=6),
        column("uptime", heard(lambda process: figures.uptime(process.uptime_ns)), rank=3, least=UPTIME),
        column("starts", heard(lambda process: figures.count(process.restarts + 1)), rank=4),
        column("heartbeat", lambda process: figures.span(process.heartbeat_age_ns)),
        column("CPU %", heard(lambda process: figures.rounded(process.cpu_percent)), rank=1),
        column("memory", heard(lambda process: figures.memory(process.memory_bytes)), rank=2, least=MEMORY),
        column("queue", heard(lambda process: figures.count(process.queued)), rank=5),
        column("handled/s", heard(lambda process: figures.rounded(process.handled_per_second)), rank=7),
        column("loop gap", heard(lambda process: figures.span(process.loop_gap_max_ns)), rank=8),
    ]
    return table(columns, width)


def hops_table(hops: Sequence[HopMeasured], width: int) -> list[Line]:
    """Return how long each hop takes: between two processes, or within one."""
    column = partial(_column, hops)
    columns = [
        column("hop", _way, to_the_right=False),
        column("p50", lambda hop: figures.span(hop.latency.p50_ns), least=SPAN),
        column("p99", lambda hop: figures.span(hop.latency.p99_ns), least=SPAN),
        column("max", lambda hop: figures.span(hop.latency.max_ns), rank=1, least=SPAN),
        column("messages", lambda hop: figures.count(hop.latency.count), rank=2),
    ]
    return table(columns, width)


def _way(hop: HopMeasured) -> str:
    """Say from where to where: a hop between processes is named for the socket it comes from, as `risk.intents`."""
    latency = hop.latency
    return f"{latency.hop} → {hop.instance}" if "." in latency.hop else f"{latency.hop} in {hop.instance}"


def _state(concern: Concern | None, well: str) -> Span:
    if concern is None:
        return Span(well)
    return Span(printable(concern.words), Tone.ALARM if concern.grave else Tone.WARNING)


def _column(
    rows: Sequence[Row],
    heading: str,
    text: Callable[[Row], str],
    *,
    rank: int = 0,
    to_the_right: bool = True,
    least: int = 0,
) -> Column:
    cells = [Span(printable(text(row))) for row in rows]
    return Column(heading, cells, rank=rank, to_the_right=to_the_right, least=least)
