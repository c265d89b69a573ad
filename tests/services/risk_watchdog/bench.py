"""Risk's core alone, in the hands of a shell that is a list: what it reports is written there and handed back."""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeVar

from msgspec.structs import replace

from proto.codec import EnvelopeCodec
from proto.envelope import SCHEMA, Body, Envelope
from proto.fields import Instance
from proto.intents import EnterBracket
from proto.risk import AskLease, Latch, LeaseAnswered, RiskSnapshot
from proto.verdicts import Approval, IntentApproved, IntentJudged, IntentRefused
from services.risk_watchdog.core.terms import Likeness, Market, RiskTerms
from services.risk_watchdog.core.watchdog import CLOCK, HEARING_NS, TICK_NS, TICKS_PER_SNAPSHOT, RiskCore
from shared.core.service import (
    Answer,
    Ask,
    Asked,
    Effect,
    HaltSeen,
    HaltUnwritable,
    Happening,
    JournalRoom,
    MakeHalt,
    Moment,
    NotRecorded,
    Recorded,
    RemoveHalt,
    RenameHalt,
    Report,
    Restored,
    Say,
    Started,
    Woken,
)
from shared.risk.guards import GuardLimits
from shared.risk.limits import Limits
from shared.trading.costs import FeeAccount
from tests.proto.examples import DIGEST
from tests.shared.risk.asked import SMALL, an_intent
from tests.shared.trading.terms import WITHOUT_BNB

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
NOON_NS: Final = 20_000 * DAY_NS + DAY_NS // 2
GUARDS: Final = GuardLimits(
    drawdown_kill_fraction=Decimal("0.15"),
    daily_loss_kill_fraction=Decimal("0.05"),
    daily_loss_breaker_fraction=SMALL.daily_loss_breaker_fraction,
)
LIKENESS: Final = Likeness("a build", DIGEST, DIGEST)
SYMBOLS: Final = ("ADA/USDT", "BTC/USDT", "ETH/USDT")
Kind = TypeVar("Kind")


class Bench:
    """One risk after another, over one journal, in a time that stands until it is moved."""

    def __init__(
        self, limits: Limits = SMALL, fees: FeeAccount = WITHOUT_BNB, *, strategy: Instance = "strategy"
    ) -> None:
        self.now = Moment(NOON_NS, 1_000 * SECOND_NS, "boot-1")
        self.records: Final[list[Envelope]] = []
        self.done: Final[list[Effect | Envelope]] = []  # what was recorded and what was performed, in its order
        self.has_room = True
        self.has_reserve = False  # room for what reduces risk, where there is none for everything
        self.halt: Latch | None = None  # what the HALT file stands for
        self.halt_trouble: str | None = None  # why it can be neither made nor removed
        self.epoch = 0
        self._waiting: Final[deque[Happening]] = deque()  # what comes of effects, behind the input they came of
        self._limits: Final = limits
        self._fees: Final = fees
        self._strategy: Final = strategy
        self._codec: Final = EnvelopeCodec()
        self.core = self.another()

    def another(self) -> RiskCore:
        """Return a core that knows nothing yet."""
        return RiskCore(
            RiskTerms(
                limits=self._limits,
                guards=GUARDS,
                quote_asset="USDT",
                fees=self._fees,
                markets={symbol: Market("feed", f"binance/{symbol}") for symbol in SYMBOLS},
                strategies={self._strategy: "trend"},
                likeness=LIKENESS,
            )
        )

    def start(self, *troubles: str, state_after: int = 0, lives_ns: int = HEARING_NS, died: bool = False) -> None:
        """Begin a life, with the state after so many records and the records since; so long it has lived then."""
        past = self.another()
        past.handle(Restored(past.state()), self.now)
        for envelope in self.records[:state_after]:
            past.handle(Recorded(envelope), self.now)
        self.core = self.another()
        self.core.handle(Restored(past.state()), self.now)
        for envelope in self.records[state_after:]:
            assert not self.core.handle(Recorded(envelope), self.now)
        self.epoch += 1
        self._waiting.append(HaltSeen(self.halt))
        self.handle(Started("risk", self.epoch, self.epoch - 1, troubles, died=died))
        self.wait(lives_ns / SECOND_NS)

    def handle(self, happening: Happening) -> None:
        """Hand it in, and do what comes of it as the shell does."""
        self._do(self.core.handle(happening, self.now))
        while self._waiting:
            self._do(self.core.handle(self._waiting.popleft(), self.now))

    def touch(self, latch: Latch | None) -> None:
        """Let somebody else make the HALT file, or remove it."""
        self.halt = latch
        self.handle(HaltSeen(latch))

    def wait(self, seconds: float) -> None:
        """Let time pass, and nothing else happen."""
        ns = round(seconds * SECOND_NS)
        self.now = Moment(self.now.wall_ns + ns, self.now.boot_ns + ns, self.now.boot_id)

    def sets_clock(self, seconds: float) -> None:
        """Let somebody set the clock of the wall."""
        wall_ns = self.now.wall_ns + round(seconds * SECOND_NS)
        self.now = Moment(wall_ns, self.now.boot_ns, self.now.boot_id)

    def tick(self) -> None:
        """Let the clock ring."""
        self.wait(TICK_NS / SECOND_NS)
        self.handle(Woken(CLOCK))

    def ask(self, body: Body, *, instance: str = "strategy", ask_id: str = "request") -> Body:
        """Ask risk, and return its answer."""
        self.handle(Asked(instance, replace(self.envelope(body, sender=instance), id=ask_id)))
        return self.of(Answer)[-1].body

    def enter(self, intent: EnterBracket) -> IntentApproved | IntentRefused:
        """Ask for an entry."""
        answer = self.ask(intent, ask_id=intent.intent_id)
        assert isinstance(answer, IntentApproved | IntentRefused)
        return answer

    def approved(self, intent: EnterBracket) -> Approval:
        """Ask for an entry that is approved, and return the approval."""
        answer = self.enter(intent)
        assert isinstance(answer, IntentApproved), answer
        (judged,) = [judged for judged in self.written(IntentJudged) if judged.intent == intent]
        assert judged.approval is not None
        return judged.approval

    def refusal(self, intent: EnterBracket) -> IntentRefused:
        """Ask for an entry that is refused."""
        answer = self.enter(intent)
        assert isinstance(answer, IntentRefused), answer
        return answer

    def lease(self) -> LeaseAnswered:
        """Ask for the lease."""
        answer = self.ask(AskLease(1, 1), instance="executor")
        assert isinstance(answer, LeaseAnswered)
        return answer

    def against(self) -> dict[str, str]:
        """Return the conditions of the lease, by name, with their reasons."""
        return {condition.name: condition.reason for condition in self.lease().conditions}

    def of(self, kind: type[Kind]) -> list[Kind]:
        """Return what was performed of a kind."""
        return [effect for effect in self.done if isinstance(effect, kind)]

    def asks(self) -> list[str]:
        """Return the approvals that the executor was asked to take, each as often as it was."""
        return [ask.ask_id for ask in self.of(Ask)]

    def written(self, kind: type[Kind]) -> list[Kind]:
        """Return what stands in the journal of a kind."""
        return [envelope.body for envelope in self.records if isinstance(envelope.body, kind)]

    def said(self) -> RiskSnapshot:
        """Let the clock ring until risk says how everything stands, and return that."""
        before = len(self.of(Say))
        for _ in range(2 * TICKS_PER_SNAPSHOT):
            self.tick()
            if len(self.of(Say)) > before:
                break
        said = self.of(Say)[before].body
        assert isinstance(said, RiskSnapshot)
        return said

    def envelope(
        self, body: Body, *, sender: str, epoch: int = 1, sequence: int = 1, cause: str | None = None
    ) -> Envelope:
        """Wrap a body as its sender does now."""
        return Envelope(
            schema=SCHEMA,
            sender=sender,
            epoch=epoch,
            sequence=sequence,
            id=f"{sender}-{epoch}-{sequence}",
            cause_id=cause or f"{sender}-{epoch}-{sequence}",
            sent_wall_ns=self.now.wall_ns,
            boot_id=self.now.boot_id,
            sent_boot_ns=self.now.boot_ns,
            expires_boot_ns=None,
            body=body,
        )

    def _do(self, effects: Sequence[Effect]) -> None:
        reports = [effect for effect in effects if isinstance(effect, Report)]
        if reports and not self._recorded(reports):
            return
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        if isinstance(effect, Report):
            return
        self.done.append(effect)
        match effect:
            case MakeHalt() | RenameHalt() | RemoveHalt() if self.halt_trouble is not None:
                self._waiting.append(HaltUnwritable(self.halt_trouble))
            case MakeHalt(latch=latch):
                self.halt = self.halt or latch
                self._waiting.append(HaltSeen(self.halt))
            case RenameHalt(latch=latch, instead_of=older):
                self.halt = latch if self.halt is not None and self.halt.latch_id == older else self.halt
                self._waiting.append(HaltSeen(self.halt))
            case RemoveHalt(latch_id=latch_id):
                self.halt = None if self.halt is not None and self.halt.latch_id == latch_id else self.halt
                self._waiting.append(HaltSeen(self.halt))
            case _:
                pass

    def _recorded(self, reports: Sequence[Report]) -> bool:
        is_reducing = any(report.reducing for report in reports)
        if not self.has_room and not (self.has_reserve and is_reducing):
            refusal = NotRecorded(tuple(report.body for report in reports), "full", is_reducing)
            self._do(self.core.handle(refusal, self.now))
            self._waiting.append(JournalRoom(for_everything=False))
            return False
        first = len(self.records) + 1
        written = [
            self.envelope(report.body, sender="risk", epoch=self.epoch, sequence=number, cause=report.cause_id)
            for number, report in enumerate(reports, start=first)
        ]
        stored = [self._codec.decode_stored(self._codec.encode(envelope)) for envelope in written]
        self.records.extend(stored)
        self.done.extend(stored)
        for effects in [self.core.handle(Recorded(envelope), self.now) for envelope in stored]:
            self._do(effects)
        return True


def a_wish(number: int = 0, symbol: str = "ADA/USDT", *, strategy: str = "trend", worst: str = "100") -> EnterBracket:
    """Return an entry that is approved on the bench, each number another intent."""
    intent = an_intent(symbol=symbol, worst=worst)
    return replace(intent, intent_id=f"{strategy}|{symbol}|{number}|buy|0", strategy=strategy)
