"""A core of metrics that is fed by hand, and builders of what it is fed."""

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeVar

from proto.envelope import SCHEMA, Body, Envelope, MarketEnvelope
from proto.health import HOP_BUCKETS, Heartbeat, Hello, HopLatency, HopsMeasured
from proto.market import MarketBody, QuoteSeen, TradeSeen
from proto.measures import AskMeasures, FeedCounted, HopsGiven, MeasuresGiven, ProcessMeasured, SymbolMeasured, Tally
from services.metrics.core.gatherer import MetricsCore
from services.metrics.core.vocabulary import Gathered
from shared.core.continuity import BreakReason, Broken, Event, Seen, Synced
from shared.core.service import Answer, Asked, Effect, Happening, Heard, Moment, Started, Watched, Woken
from tests.proto.examples import DIGEST

BOOT_ID: Final = "a boot"
SECOND_NS: Final = 1_000_000_000
NOON_NS: Final = 1_790_000_000 * SECOND_NS

Kind = TypeVar("Kind", bound=Effect)
Given = TypeVar("Given", MeasuresGiven, HopsGiven)


class Gathering:
    """A core, and a clock that a test moves."""

    def __init__(self, *instances: str, has_store: bool = True, posts_alerts: bool = False) -> None:
        known = instances or ("feed", "metrics", "risk")
        feeds = [name for name in known if name.startswith("feed")]
        self.core: Final = MetricsCore(
            instances=known, expected=known, feeds=feeds, has_store=has_store, posts_alerts=posts_alerts
        )
        self.now = Moment(NOON_NS, 1_000 * SECOND_NS, BOOT_ID)
        self.began: Final = self.handle(Started("metrics", 1, 0, ()))
        self._sequences: dict[str, int] = {}

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        passed_ns = round(seconds * SECOND_NS)
        self.now = Moment(self.now.wall_ns + passed_ns, self.now.boot_ns + passed_ns, BOOT_ID)

    def set_the_wall_clock(self, by_seconds: float) -> None:
        """Have somebody set the clock."""
        self.now = Moment(self.now.wall_ns + round(by_seconds * SECOND_NS), self.now.boot_ns, BOOT_ID)

    def handle(self, happening: Happening) -> Sequence[Effect]:
        """Hand something in."""
        return self.core.handle(happening, self.now)

    def watch(self, *events: Event, feed: str = "feed") -> None:
        """Hand in market data."""
        assert not self.handle(Watched(feed, events))

    def see(self, body: MarketBody, *, topic: str | None = None, feed: str = "feed", **stamps: int) -> None:
        """Hand in one message of the market, published just now."""
        self.watch(Seen(topic_for(body) if topic is None else topic.encode(), self.thin(body, **stamps)), feed=feed)

    def thin(self, body: MarketBody, *, age_ns: int = 0, exchange_age_ns: int | None = None) -> MarketEnvelope:
        """Wrap a message of the market."""
        exchange_ns = None if exchange_age_ns is None else self.now.wall_ns - exchange_age_ns
        received_ns = self.now.wall_ns - age_ns
        return MarketEnvelope(1, 1, exchange_ns, received_ns, received_ns, body)

    def hear(self, instance: str, body: Body, *, epoch: int = 1, said_ago_ns: int = 0, boot_id: str = BOOT_ID) -> None:
        """Hand in what an instance says."""
        self._sequences[instance] = self._sequences.get(instance, 0) + 1
        envelope = full(instance, body, self.now, epoch=epoch, sequence=self._sequences[instance])
        said_ns = self.now.boot_ns - said_ago_ns
        envelope = Envelope(**{**as_fields(envelope), "sent_boot_ns": said_ns, "boot_id": boot_id})
        assert not self.handle(Heard(instance, envelope))

    def gathered(self) -> Gathered:
        """Ring the timer, and return what is handed to the shell."""
        return one_of(self.handle(Woken("gather")), Gathered)

    def measures(self) -> MeasuresGiven:
        """Ask how symbols and processes are."""
        return self._asked(AskMeasures(of="symbols and processes"), MeasuresGiven)

    def hops(self) -> HopsGiven:
        """Ask how long hops took."""
        return self._asked(AskMeasures(of="hops"), HopsGiven)

    def symbol(self, name: str = "BTC/USDT", feed: str = "feed") -> SymbolMeasured:
        """Return how one symbol is."""
        return next(one for one in self.measures().symbols if (one.symbol, one.feed) == (name, feed))

    def process(self, instance: str) -> ProcessMeasured:
        """Return how one process is."""
        return next(one for one in self.measures().processes if one.instance == instance)

    def _asked(self, request: AskMeasures, kind: type[Given]) -> Given:
        asked = Asked("dashboard", full("dashboard", request, self.now, epoch=1, sequence=1))
        answer = one_of(self.handle(asked), Answer)
        assert answer.asked is asked
        assert isinstance(answer.body, kind)
        return answer.body


def one_of(effects: Sequence[Effect], kind: type[Kind]) -> Kind:
    """Return the one effect of a kind."""
    found = [effect for effect in effects if isinstance(effect, kind)]
    assert len(found) == 1, effects
    return found[0]


def full(sender: str, body: Body, now: Moment, *, epoch: int, sequence: int) -> Envelope:
    """Wrap a message."""
    name = f"{sender}-{sequence}"
    return Envelope(SCHEMA, sender, epoch, sequence, name, name, now.wall_ns, now.boot_id, now.boot_ns, None, body)


def as_fields(envelope: Envelope) -> dict[str, Any]:
    """Return the fields of an envelope by name."""
    return {name: getattr(envelope, name) for name in envelope.__struct_fields__}


def topic_for(body: MarketBody) -> bytes:
    """Return a topic of binance under which such a message would come."""
    kinds = {"TradeSeen": "trades", "QuoteSeen": "quotes", "BarClosed": "bars/1m"}
    kinds |= dict.fromkeys(("BookSnapshot", "BookChanged"), "book") | dict.fromkeys(("LinkOpened", "LinkLost"), "link")
    parts = ("binance", body.symbol, kinds.get(type(body).__name__, "trust"))
    return "/".join(part for part in parts if part).encode()


def broken(topic: str, reason: BreakReason = "gap") -> Broken:
    """Return a break."""
    return Broken(topic.encode(), reason)


def synced(topic: str, latest: MarketEnvelope | None = None) -> Synced:
    """Return the end of a break."""
    return Synced(topic.encode(), latest)


def a_quote(bid: float = 64000.12, ask: float = 64000.13, *, symbol: str = "BTC/USDT") -> QuoteSeen:
    """Return a quote."""
    return QuoteSeen(symbol=symbol, bid_price=bid, bid_quantity=0.5, ask_price=ask, ask_quantity=0.5)


def a_trade(price: float = 64000.5, *, symbol: str = "BTC/USDT") -> TradeSeen:
    """Return a trade."""
    return TradeSeen(symbol=symbol, price=price, quantity=0.5, taker_side="buy", trade_id="1")


def a_beat(
    handled: int = 1,
    *,
    cpu_time_ns: int = 0,
    gap_ns: int = 0,
    state: Literal["booting", "running", "draining"] = "running",
) -> Heartbeat:
    """Return a heartbeat."""
    return Heartbeat(
        state=state,
        handled=handled,
        queued=3,
        flatten_step=0,
        money_config_digest=DIGEST,
        loop_gap_max_ns=gap_ns,
        memory_bytes=50_000_000,
        cpu_time_ns=cpu_time_ns,
        published=(),
        anchor=None,
        troubles=(),
    )


def a_hello(process_id: int = 4_711, restarts: int = 2) -> Hello:
    """Return who a process is."""
    return Hello(
        process_id=process_id,
        restarts=restarts,
        build_id="a build",
        schema_digest=DIGEST,
        money_config_digest=DIGEST,
        account_fingerprint=None,
    )


def a_count(symbol: str | None = "BTC/USDT", *, spikes: int = 2) -> FeedCounted:
    """Return what a feed counted."""
    took = (Tally(what="trades", count=100), Tally(what="quotes", count=900))
    return FeedCounted(venue="binance", symbol=symbol, took=took, refused=(Tally(what="spike", count=spikes),))


def a_hop(name: str = "feed.market", *, counts: Sequence[int] = (0, 3, 1), sum_ns: int = 130_000) -> HopLatency:
    """Return how long a hop took."""
    buckets = (*counts, *[0] * (HOP_BUCKETS - len(counts)))
    return HopLatency(
        hop=name,
        count=sum(buckets),
        sum_ns=sum_ns,
        p50_ns=20_000,
        p90_ns=20_000,
        p99_ns=40_000,
        p999_ns=40_000,
        max_ns=40_000,
        negative=1,
        clipped=0,
        buckets=buckets,
    )


def hops(*latencies: HopLatency) -> HopsMeasured:
    """Return what a process says of its hops."""
    return HopsMeasured(hops=latencies or (a_hop(),))
