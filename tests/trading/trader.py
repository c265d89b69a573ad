"""A scripted strategy that speaks over the strategy's own sockets: it enters and leaves when a test says so."""

import json
import select
import urllib.request
from decimal import Decimal
from typing import Any, Final

from proto.control import ResumeEntries
from proto.envelope import Body
from proto.intents import EnterBracket, ExitRefused, ExitTaken, SetExit, StopCover
from proto.orders import EntryOpened, ReconcileFinished
from proto.risk import Everything
from proto.streams import StreamPosition
from proto.verdicts import Approval, IntentApproved, IntentJudged, IntentRefused, ReservationFreed
from shared.mesh.clock import SystemClock
from shared.strategies.intent_ids import exit_id, intent_id
from tests.services.supervision.harness import eventually
from tests.trading.mesh import PATIENCE_S, TradingMesh
from tests.trading.written import Place

NAME: Final = "trader"
TICK: Final = Decimal("0.01")
SECOND_NS: Final = 1_000_000_000
STOP_FRACTION: Final = Decimal("0.03")
WORST_FRACTION: Final = Decimal("0.02")
TRIES_MAX: Final = (
    400  # longer than three deaths within a minute keep entries back; only a test that fails waits so long
)
PAUSE_MS: Final = 200
LEAVES_MAX: Final = 10  # on a busy machine an executor that lives may be late with its answer
EXIT_AGAIN_NS: Final = 2 * SECOND_NS
# Why risk holds entries back for a while after somebody began anew, or much was entered in a short time.
PASSES: Final = {
    "reserve_cash_kept",
    "executor_moves",
    "instrument_is_known",
    "permission_is_run",
    "positions_are_known",
    "prices_are_good",
}


class Trader:
    """Asks, and sees by the journals what came of it. Where it is alone, no operator lifts what stands against it."""

    def __init__(self, mesh: TradingMesh, *, is_alone: bool = False) -> None:
        self._mesh: Final = mesh
        self._is_alone: Final = is_alone
        self._clock: Final = SystemClock()

    def wish(self, symbol: str, *, stop_fraction: Decimal = STOP_FRACTION) -> EnterBracket:
        """Return an entry at the price of this moment, under a new id."""
        ask, now_ns = self.price(symbol, "askPrice"), self._clock.wall_ns()
        return EnterBracket(
            intent_id=intent_id(strategy=NAME, symbol=symbol, bar_close_time_ns=now_ns, side="buy"),
            strategy=NAME,
            symbol=symbol,
            side="buy",
            timeframe="1s",
            bar_close_time_ns=now_ns,
            market_seen=StreamPosition("feed", 1, 1),
            decision_price=ask,
            price_worst=(ask * (1 + WORST_FRACTION)).quantize(TICK),
            cover=StopCover((ask * (1 - stop_fraction)).quantize(TICK)),
            targets=(),
            trail_distance=None,
            risk_fraction=Decimal("0.005"),
            expected_gain_fraction=Decimal("0.2"),
            work_for_ns=10 * SECOND_NS,
            evidence=(),
        )

    def price(self, symbol: str, of: str) -> Decimal:
        """Return the best price of a side, from the exchange itself."""
        url = f"http://127.0.0.1:{self._mesh.project.port}/api/v3/ticker/bookTicker?symbol={symbol.replace('/', '')}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # our own exchange
            told: dict[str, Any] = json.load(answer)
        return Decimal(told[of])

    def ask(self, wish: EnterBracket) -> Body | None:
        """Ask risk for an entry; None is no answer."""
        return self._mesh.asker.ask("strategy", "risk", "intents", wish, ask_id=wish.intent_id)

    def ask_until_judged(self, wish: EnterBracket) -> IntentApproved | IntentRefused:
        """Ask for one entry under its one id until there is a verdict: right after its start risk says nothing yet."""
        for _ in range(TRIES_MAX):
            answer = self.ask(wish)
            if isinstance(answer, IntentApproved | IntentRefused):
                return answer
        raise AssertionError(f"risk does not judge {wish.intent_id}")

    def approved(self, symbol: str, *, stop_fraction: Decimal = STOP_FRACTION) -> Approval:
        """Ask for one entry after another until one is approved, and return the approval."""
        answer: Body | None = None
        for _ in range(TRIES_MAX):
            answer = self.ask(wish := self.wish(symbol, stop_fraction=stop_fraction))
            if isinstance(answer, IntentApproved):
                return self.approval_of(wish)
            assert answer is None or (isinstance(answer, IntentRefused) and answer.rule in PASSES), answer
            self.resume()
            pause()
        raise AssertionError(f"nothing was approved of {symbol}: {answer}")

    def approval_of(self, wish: EnterBracket) -> Approval:
        """Return the one approval that risk wrote down for an intent."""
        (approval,) = self.approvals_of(wish)
        return approval

    def approvals_of(self, wish: EnterBracket) -> list[Approval]:
        """Return the approvals that risk wrote down for an intent."""
        judged = [one for one in self._mesh.written.by_risk(IntentJudged) if one.intent.intent_id == wish.intent_id]
        return [one.approval for one in judged if one.approval is not None]

    def try_to_enter(self, symbol: str) -> None:
        """Ask for an entry, whatever comes of it."""
        try:
            wish = self.wish(symbol)
        except (OSError, ArithmeticError):
            return  # the exchange is down, or nobody there sells
        self.ask(wish)

    def enter(self, symbol: str, *, stop_fraction: Decimal = STOP_FRACTION) -> Approval:
        """Ask for one entry after another until the executor works one."""
        for _ in range(TRIES_MAX):
            approval = self.approved(symbol, stop_fraction=stop_fraction)
            eventually(lambda: self.is_worked(approval) or self.is_free(approval))  # noqa: B023  # done within
            if self.is_worked(approval):
                return approval
            self.resume()
            pause()
        raise AssertionError(f"nothing was taken of {symbol}: {self._mesh.written.by_risk(ReservationFreed)[-1]}")

    def enter_and_fill(self, symbol: str, *, stop_fraction: Decimal = STOP_FRACTION) -> Approval:
        """Enter, and wait until all that was bought rests under its stop: no part of it comes later."""
        approval = self.enter(symbol, stop_fraction=stop_fraction)
        eventually(lambda: self._mesh.written.entry_ended(approval.approval_id))
        eventually(lambda: self._mesh.written.is_covered((NAME, symbol)))
        return approval

    def enter_until_filled(self, symbol: str) -> None:
        """Enter again and again, until the venue does not refuse the order."""
        for _ in range(TRIES_MAX):
            approval = self.enter(symbol)
            eventually(lambda: self._mesh.written.entry_ended(approval.approval_id))  # noqa: B023  # done within
            ended = self._mesh.written.entry_ended(approval.approval_id)
            if ended is not None and ended.filled_quantity:
                eventually(lambda: self._mesh.written.is_covered((NAME, symbol)))
                return
        raise AssertionError(f"nothing was bought of {symbol}")

    def dies_entering(self, symbol: str, dies_at: str) -> Approval:
        """Have the executor die at a place while it works an entry, and return what was approved."""
        self._mesh.die_at("executor", dies_at)
        for _ in range(TRIES_MAX):
            approval = self.approved(symbol)
            eventually(lambda: not self._mesh.is_alive("executor") or self.is_free(approval))  # noqa: B023  # done within
            if not self._mesh.is_alive("executor"):
                self._mesh.died("executor")
                return approval
            pause()
        raise AssertionError(f"it never came to {dies_at}")

    def is_worked(self, approval: Approval) -> bool:
        """Tell whether the executor took an approval."""
        opened = self._mesh.written.by_executor(EntryOpened)
        return any(one.approval.approval_id == approval.approval_id for one in opened)

    def is_free(self, approval: Approval) -> bool:
        """Tell whether what an approval reserved is free again."""
        freed = self._mesh.written.by_risk(ReservationFreed)
        return any(one.approval_id == approval.approval_id for one in freed)

    def leave(self, place: Place) -> bool:
        """Ask for the whole position to be sold, and tell whether somebody answered."""
        strategy, symbol = place
        name = exit_id(strategy=strategy, symbol=symbol, bar_close_time_ns=self._clock.wall_ns())
        wanted = SetExit(name, strategy, symbol, Decimal(0), "the test says so")
        answer: Body | None = None
        for _ in range(LEAVES_MAX):
            answer = self._mesh.asker.ask("strategy", "executor", "exits", wanted, ask_id=name)
            if answer is not None or not self._mesh.is_alive("executor"):
                break
        assert answer is None or isinstance(answer, ExitTaken | ExitRefused), answer
        return answer is not None

    def resume(self) -> None:
        """Lift, as an operator who has looked, whatever makes executor and risk wary."""
        for instance in () if self._is_alone else ("executor", "risk"):
            self._mesh.asker.ask("operator", instance, "control", ResumeEntries("ada", "looked at it", Everything()))

    def settle(self) -> None:
        """Leave everything, and wait until nothing is under way and the books agree with the venue's."""
        asked_ns = -EXIT_AGAIN_NS

        def is_settled() -> bool:
            nonlocal asked_ns
            places = self._mesh.written.to_leave()
            if places and self._clock.boot_ns() - asked_ns >= EXIT_AGAIN_NS:
                asked_ns = self._clock.boot_ns()
                for place in places:
                    self.leave(place)
            return not places and not self._mesh.written.under_way() and self._agrees()

        try:
            eventually(is_settled)
        except AssertionError:
            under_way, places = self._mesh.written.under_way(), self._mesh.written.to_leave()
            words = f"{under_way} is under way, {places} is held\n{self._mesh.project.log_of('executor')}"
            raise AssertionError(words) from None

    def _agrees(self) -> bool:
        passes = self._mesh.written.by_executor(ReconcileFinished)
        return bool(passes) and passes[-1].clean


def pause() -> None:
    """Let a moment pass before something is asked for again."""
    select.poll().poll(PAUSE_MS)


def passes(nanoseconds: int) -> None:
    """Let so much time pass."""
    until_ns = SystemClock().boot_ns() + nanoseconds
    eventually(lambda: SystemClock().boot_ns() >= until_ns)
