"""The executor and the feed as risk hears them, on the bench."""

from decimal import Decimal
from typing import Final, Literal

from msgspec.structs import replace

from proto.account import AccountSnapshot, Balance, Counted, InstrumentRules, InstrumentsTold
from proto.control import ControlDone, ControlRefused, LiftKill
from proto.envelope import Body, MarketEnvelope
from proto.fencing import RoleReturned, RoleTaken
from proto.health import Heartbeat, Hello
from proto.market import MarketBody, QuoteSeen, SymbolTrusted
from proto.orders import (
    ConditionCleared,
    ConditionSet,
    EntryEnded,
    EntryOpened,
    FlatnessTold,
    FlattenBegun,
    OutsideSeen,
    PositionChanged,
)
from proto.risk import Condition, Everything, Latch
from proto.streams import StreamPosition
from proto.verdicts import Approval, ApprovalDeclined, ApprovalTaken
from shared.core.continuity import Seen
from shared.core.service import Answered, Ask, Heard, Told, ToldOfLoss, Watched
from tests.proto.examples import DIGEST
from tests.services.risk_watchdog.bench import SYMBOLS, Bench

BEAT: Final = Heartbeat(
    state="running",
    handled=0,
    queued=0,
    flatten_step=0,
    money_config_digest=DIGEST,
    loop_gap_max_ns=0,
    memory_bytes=0,
    cpu_time_ns=0,
    published=(),
    anchor=None,
    troubles=(),
)
COINS: Final = (Counted("ETH", Decimal(50), Decimal(100)), Counted("BNB", Decimal(10), Decimal(100)))
GREETING: Final = Hello(
    process_id=4_711,
    restarts=0,
    build_id="a build",
    schema_digest=DIGEST,
    money_config_digest=DIGEST,
    account_fingerprint=None,
)


class Executor:
    """What risk hears of the executor."""

    def __init__(self, bench: Bench) -> None:
        self._bench: Final = bench
        self.epoch = 1
        self._handled = self._readings = self._reports = 0
        self.told: Final[list[Told]] = []
        self.latch: Latch | None = None  # that stands in its journal

    def beats(self, **changes: object) -> None:
        """Say that it moves, and how many reports it has told."""
        self._handled += 1
        published = (StreamPosition("reports", self.epoch, self._reports),)
        self.says(replace(BEAT, **({"handled": self._handled, "published": published} | changes)))

    def says(self, body: Body) -> None:
        """Say something of which only the latest counts."""
        self._bench.handle(Heard("executor", self._bench.envelope(body, sender="executor", epoch=self.epoch)))

    def reads(
        self, equity: str = "10000", free: str = "10000", *, venue_time_ns: int | None = None, bnb: str = "0"
    ) -> None:
        """Read the account."""
        self._readings += 1
        wall_ns = self._bench.now.wall_ns
        self.says(
            a_reading(
                self._readings,
                equity=equity,
                free=free,
                venue_time_ns=wall_ns if venue_time_ns is None else venue_time_ns,
                bnb=bnb,
            )
        )

    def tells_instruments(self) -> None:
        """Say in which steps the symbols trade."""
        self.says(InstrumentsTold(tuple(map(a_lot, SYMBOLS))))

    def tells(self, body: Body) -> None:
        """Report something."""
        self._reports += 1
        envelope = self._bench.envelope(body, sender="executor", epoch=self.epoch, sequence=self._reports)
        self.told.append(Told("executor", envelope))
        self._bench.handle(self.told[-1])

    def tells_all_again(self) -> None:
        """Tell another life of risk everything from the beginning."""
        for told in self.told:
            self._bench.handle(told)

    def loses_reports(self) -> None:
        """Have a hole in the journal, of one report."""
        self._reports += 1
        self._bench.handle(ToldOfLoss("executor", self._reports + 1))

    def skipped(self) -> Told:
        """Report something that does not arrive yet."""
        self._reports += 1
        body = PositionChanged("trend", "ETH/USDT", Decimal(1), Decimal(100), Decimal(0))
        return Told("executor", self._bench.envelope(body, sender="executor", sequence=self._reports))

    def opens(self, approval: Approval) -> None:
        """Begin with an approval."""
        self.tells(EntryOpened(approval))

    def ends(self, approval: Approval, filled: str = "0") -> None:
        """End an entry."""
        self.tells(
            EntryEnded(
                approval_id=approval.approval_id,
                intent_id=approval.intent_id,
                strategy=approval.strategy,
                symbol=approval.symbol,
                filled_quantity=Decimal(filled),
                reason="its order has ended",
            )
        )

    def holds(self, symbol: str, quantity: str, *, paid: str | None = "100", strategy: str = "trend") -> None:
        """Hold so much of a symbol."""
        average = None if paid is None else Decimal(paid)
        self.tells(PositionChanged(strategy, symbol, Decimal(quantity), average, Decimal(0)))

    def takes(self, approval: Approval) -> None:
        """Answer that it has an approval."""
        self.answers(approval, ApprovalTaken(approval.approval_id))

    def declines(self, approval: Approval) -> None:
        """Answer that it does not work an approval."""
        self.answers(approval, ApprovalDeclined(approval.approval_id, "stream_is_open", "it is lost"))

    def latches(self, latch: Latch) -> None:
        """Come under the kill latch, and begin to flatten."""
        self.tells(ConditionSet(Condition("kill_latch", Everything(), "HALTED", latch.latch_id)))
        self.tells(FlattenBegun(latch.latch_id, None, latch.actor, latch.reason))
        self.latch = latch

    def is_flat(self, latch_id: str, reason: str = "") -> None:
        """Say whether all is closed: it is, unless there is a reason."""
        self.tells(FlatnessTold(latch_id, not reason, 1, reason))

    def lifts(self) -> None:
        """Do what the last `LiftKill` asks for, as often as it does."""
        ask = self.asked_to_lift()[-1]
        lift = ask.body
        assert isinstance(lift, LiftKill)
        if self.latch is not None and self.latch.latch_id != lift.latch_id:
            answer: Body = ControlRefused("latch_is_this_one", self.latch.latch_id)
        else:
            if self.latch is not None:
                self.tells(ConditionCleared("kill_latch", Everything(), lift.actor, lift.reason))
                self.latch = None
            answer = ControlDone("it is lifted")
        self._bench.handle(Answered(ask.ask_id, self._bench.envelope(answer, sender="executor")))

    def asked_to_lift(self) -> list[Ask]:
        """Return how often it was asked to lift the latch, and which."""
        return [ask for ask in self._bench.of(Ask) if isinstance(ask.body, LiftKill)]

    def answers(self, approval: Approval, body: Body) -> None:
        """Answer when asked to take an approval."""
        self._bench.handle(Answered(approval.approval_id, self._bench.envelope(body, sender="executor")))


class Flattener:
    """What risk hears of the flattener: readings of the account, and whose role it holds."""

    def __init__(self, bench: Bench) -> None:
        self._bench: Final = bench
        self.epoch = 1
        self._readings = self._handled = self._reports = 0
        self._told: Final[list[Told]] = []

    def reads(self, equity: str, *, late_s: float = 0, **changes: object) -> None:
        """Read the account, and be heard so much later."""
        self._readings += 1
        reading = a_reading(self._readings, equity=equity, venue_time_ns=self._bench.now.wall_ns)
        envelope = self._bench.envelope(replace(reading, **changes), sender="flattener", epoch=self.epoch)
        self._bench.wait(late_s)
        self._bench.handle(Heard("flattener", envelope))

    def skips(self) -> None:
        """Read the account, and never be heard."""
        self._readings += 1

    def begins_anew(self) -> None:
        """Be replaced by the next life."""
        self.epoch, self._readings = self.epoch + 1, 0

    def beats(self, **changes: object) -> None:
        """Say that it moves."""
        self._handled += 1
        self.says(replace(BEAT, **({"handled": self._handled} | changes)))

    def says(self, body: Body) -> None:
        """Say something of which only the latest counts."""
        self._bench.handle(Heard("flattener", self._bench.envelope(body, sender="flattener", epoch=self.epoch)))

    def tells(self, body: Body, *, is_heard: bool = True) -> None:
        """Report something."""
        self._reports += 1
        envelope = self._bench.envelope(body, sender="flattener", epoch=self.epoch, sequence=self._reports)
        self._told.append(Told("flattener", envelope))
        if is_heard:
            self._bench.handle(self._told[-1])

    def takes_over(self, epoch: int, *, is_heard: bool = True) -> None:
        """Take the executor's role; where risk is away it reads of it later."""
        self.tells(RoleTaken("executor", epoch, "it is silent"), is_heard=is_heard)

    def gives_back(self, epoch: int) -> None:
        """Give it back."""
        self.tells(RoleReturned("executor", epoch, "it is flat"))

    def tells_all_again(self) -> None:
        """Tell another life of risk everything from the beginning."""
        for told in self._told:
            self._bench.handle(told)


class Strategy:
    """What risk hears of the strategy."""

    def __init__(self, bench: Bench) -> None:
        self._bench: Final = bench
        self._handled = 0

    def beats(self, **changes: object) -> None:
        """Say that it moves."""
        self._handled += 1
        beat = replace(BEAT, **({"handled": self._handled} | changes))
        self._bench.handle(Heard("strategy", self._bench.envelope(beat, sender="strategy")))


class Feed:
    """What risk hears of the feed."""

    def __init__(self, bench: Bench) -> None:
        self._bench: Final = bench

    def says(self, body: Body) -> None:
        """Say something on its health socket."""
        self._bench.handle(Heard("feed", self._bench.envelope(body, sender="feed")))

    def trusts(self, *symbols: str, bid: float = 99.99, ask: float = 100.01) -> None:
        """Tell prices, and that they can be trusted."""
        for symbol in symbols or SYMBOLS:
            self.tells(symbol, "quotes", QuoteSeen(symbol, bid, 1.0, ask, 1.0))
            self.tells(symbol, "trust", SymbolTrusted(symbol))

    def tells(self, symbol: str, kind: str, body: MarketBody) -> None:
        """Publish something."""
        wall_ns = self._bench.now.wall_ns
        envelope = MarketEnvelope(1, 1, None, wall_ns, wall_ns, body)
        self._bench.handle(Watched("feed", [Seen(f"binance/{symbol}/{kind}".encode(), envelope)]))


class Scene:
    """Risk with everybody around it."""

    def __init__(self, bench: Bench) -> None:
        self.bench: Final = bench
        self.executor: Final = Executor(bench)
        self.feed: Final = Feed(bench)
        self.strategy: Final = Strategy(bench)
        self.flattener: Final = Flattener(bench)

    def begin(self, *, equity: str = "10000", free: str = "10000") -> None:
        """Begin a life in which entries can be judged."""
        self.bench.start()
        self.speak(equity=equity, free=free)

    def speak(self, *, equity: str = "10000", free: str = "10000") -> None:
        """Let everybody say all that is needed to judge."""
        self.executor.tells_instruments()
        self.executor.reads(equity, free)
        self.executor.reads(equity, free)
        self.feed.trusts()
        self.strategy.beats()
        self.executor.beats()

    def pass_time(self, seconds: float) -> None:
        """Let time pass in which everybody goes on speaking and the clock rings."""
        end_ns = self.bench.now.boot_ns + round(seconds * 1e9)
        while self.bench.now.boot_ns < end_ns:
            self.bench.tick()
            self.executor.beats()
            self.strategy.beats()
            self.executor.reads()
            self.feed.trusts()

    def account(self, *equities: str, books: str | None = "as read", seconds: float = 2) -> None:
        """Let the account be read again and again, with what the executor's books say beside it."""
        for equity in equities:
            self.bench.wait(seconds - 0.2)
            self.strategy.beats()
            self.feed.trusts()
            self.strategy.beats()
            if books is not None:
                self.executor.reads(equity if books == "as read" else books)
                self.executor.beats()
            self.flattener.reads(equity)
            self.bench.tick()

    def finds(self, *counted: Counted, times: int = 2, books: str | None = "as read") -> None:
        """Let the flattener find this on the account again and again, with what the executor's books say beside it."""
        equity = f"{sum(one.quantity * (one.bid_quote or 0) for one in counted):f}"
        for _ in range(times):
            self.bench.wait(1.8)
            self.feed.trusts()
            self.strategy.beats()
            if books is not None:
                self.executor.reads(equity if books == "as read" else books)
                self.executor.beats()
            self.flattener.reads(equity, counted=counted)
            self.bench.tick()


def money(quantity: int) -> Counted:
    """Return so much money."""
    return Counted("USDT", Decimal(quantity), Decimal(1))


def a_lot(symbol: str) -> InstrumentRules:
    """Return how a symbol trades: in hundredths, of at least 5."""
    base, _, quote = symbol.partition("/")
    step = Decimal("0.01")
    return InstrumentRules(symbol, base, quote, step, step, step, Decimal(5))


def a_flow(
    number: int,
    quantity: str,
    *,
    asset: str = "USDT",
    kind: Literal["opening", "order", "trade", "transfer", "unexplained"] = "transfer",
    venue_time_ns: int = 1,
) -> OutsideSeen:
    """Return what somebody else did on the account."""
    return OutsideSeen(kind, f"{kind}-{number}", None, asset, Decimal(quantity), venue_time_ns)


def a_reading(
    number: int,
    *,
    venue_time_ns: int,
    equity: str = "10000",
    free: str = "10000",
    quote_asset: str = "USDT",
    bnb: str = "0",
) -> AccountSnapshot:
    """Return what a reading of the account shows."""
    return AccountSnapshot(
        read_number=number,
        account_fingerprint=DIGEST,
        venue_time_ns=venue_time_ns,
        quote_asset=quote_asset,
        equity_quote=Decimal(equity),
        balances=(Balance(quote_asset, Decimal(free), Decimal(0)), Balance("BNB", Decimal(bnb), Decimal(0))),
        counted=priced(equity, quote_asset),
    )


def priced(equity: str, quote_asset: str = "USDT") -> tuple[Counted, ...]:
    """Return an account that is one coin, and worth so much: whatever it loses, the price took it."""
    return Counted(quote_asset, Decimal(0), Decimal(1)), Counted("ETH", Decimal(1), Decimal(equity))
