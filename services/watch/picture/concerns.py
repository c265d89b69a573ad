"""What is not well, of all that metrics measures: each in a few words."""

from collections.abc import Iterator
from dataclasses import dataclass

from proto.measures import MeasuresGiven, ProcessMeasured, SymbolMeasured
from services.watch.picture.figures import span


@dataclass(frozen=True, slots=True)
class Concern:
    """Somebody should look at it. A `grave` one means that nothing is heard, or that data is lost."""

    words: str
    grave: bool


def urgency(concern: Concern | None) -> int:
    """Return what to sort by, so that what is grave comes first, and what is well last."""
    return 2 if concern is None else not concern.grave


def concerns_of(measures: MeasuresGiven) -> Iterator[Concern]:
    """Yield what is not well, processes first: a process that is silent explains its symbols."""
    for process in measures.processes:
        concern = about_process(process)
        if concern is not None:
            yield Concern(f"{process.instance} {concern.words}", concern.grave)
    yield from _about_feeds(measures)
    for symbol in measures.symbols:
        concern = about_symbol(symbol)
        if concern is not None:
            yield Concern(f"{symbol.symbol} of {symbol.feed} {concern.words}", concern.grave)
    if measures.store in {"down", "full"}:
        reason = f" ({measures.store_reason})" if measures.store_reason else ""
        yield Concern(f"store {measures.store}{reason}", grave=False)


def about_process(process: ProcessMeasured) -> Concern | None:
    """Say what is not well with a process: as for `bowline status`, only one that is running is well."""
    if process.state == "running":
        return None
    if process.state != "silent":
        return Concern(process.state, grave=process.state == "crash loop")
    if process.heartbeat_age_ns is None:
        return Concern("never heard", grave=True)
    return Concern(f"silent for {span(process.heartbeat_age_ns)}", grave=True)


def about_symbol(symbol: SymbolMeasured) -> Concern | None:
    """Say what is not well with a symbol: its feed's link, and why its data is in doubt."""
    doubts = ", ".join(symbol.doubts)
    match symbol.link:
        case "lost":
            why = f" ({symbol.lost_reason})" if symbol.lost_reason else ""
            return Concern(f"lost{why}: {doubts}" if doubts else f"lost{why}", grave=True)
        case "unknown":
            return Concern(f"not heard: {doubts}" if doubts else "not heard", grave=False)
        case "open":
            return Concern(f"doubted: {doubts}", grave=False) if doubts else None


def _about_feeds(measures: MeasuresGiven) -> Iterator[Concern]:
    """Say who reads nothing, though he runs; who does not has been spoken of."""
    feeds = [process for process in measures.processes if process.instance.partition("-")[0] == "feed"]
    if not feeds and not measures.symbols:
        yield Concern("no symbol, for no feed runs: see `bowline status`", grave=True)
    told = {symbol.feed for symbol in measures.symbols}
    for feed in feeds:
        if feed.instance not in told and feed.state == "running":
            yield Concern(f"{feed.instance} names no symbol: see `bowline logs {feed.instance}`", grave=False)
