"""A scripted stand-in for risk: it grants leases and approvals, and now and then it does not.

The place of the real core: `World` hands it what a strategy wants and what the executor asks, and it hands back
envelopes. The core of services/risk_watchdog behind a `Process` of its own, with its own disk, is to take its place.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from proto.envelope import SCHEMA, Body, Envelope
from proto.intents import StopCover
from proto.risk import AskLease, LeaseAnswered
from proto.verdicts import Approval
from shared.core.service import Answered, Ask, Asked, Happening
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.weather import Weather
from tests.simulation.witness import Witness

if TYPE_CHECKING:
    from proto.fields import Permission

START_WITHIN_NS: Final = 2 * SECOND_NS
WORK_WITHIN_NS: Final = 10 * SECOND_NS
BAND: Final = Decimal("0.02")
REPLAYED_AFTER_MS_MAX: Final = 20_000


class ScriptedRisk:
    """Says yes to everything, under a lease."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        weather: Weather,
        dice: Dice,
        witness: Witness,
        deliver: Callable[[Happening], None],
        reply: Callable[[int, Happening], None],
    ) -> None:
        self._scheduler: Final = scheduler
        self._weather: Final = weather
        self._dice: Final = dice.of("risk")
        self._witness: Final = witness
        self._deliver: Final = deliver
        self._reply: Final = reply
        self._epoch = 1
        self._said = 0
        self._permission: Permission = "RUN"
        self._silent_until_ns = 0
        self._newest: Final[dict[str, Approval]] = {}  # by intent
        scheduler.every(lambda: SECOND_NS, self._weather_changes)

    def asked(self, ask: Ask) -> None:
        """Answer the executor's question for its lease."""
        assert isinstance(ask.body, AskLease), "the executor asks risk for nothing else"
        number, executor_epoch, asked_at_ns = ask.body.number, ask.body.executor_epoch, self._scheduler.now_ns
        self._witness.lease_asked(executor_epoch, number, asked_at_ns)
        if asked_at_ns < self._silent_until_ns or self._weather.strikes("lease lost"):
            return
        answer = LeaseAnswered(number, self._epoch, self._permission, ())
        late_ms = self._weather.amount("lease late", 100, 5_000) if self._weather.strikes("lease late") else 0

        def hear() -> None:
            self._reply(executor_epoch, Answered(ask.ask_id, self.envelope("risk", answer)))

        self._scheduler.after((late_ms + self._dice.randint(1, 4)) * MILLISECOND_NS, hear)

    def wants(self, *, intent_id: str, strategy: str, symbol: str, ask_price: Decimal, quantity: Decimal) -> None:
        """Approve an entry, or hand out again what was approved for it."""
        now_ns = self._scheduler.now_ns
        if now_ns < self._silent_until_ns:
            return
        approval = self._newest.get(intent_id)
        is_over = approval is not None and now_ns > approval.start_by_boot_ns
        if approval is None or is_over or self._weather.strikes("approval renewed"):
            approval = self._approval(intent_id, strategy, symbol, ask_price, quantity)
            self._newest[intent_id] = self._witness.approvals[approval.approval_id] = approval
        self._send(approval)
        if self._weather.strikes("approval doubled"):
            self._send(approval)
        if self._weather.strikes("approval replayed"):
            later_ms = self._weather.amount("approval replayed", 1_000, REPLAYED_AFTER_MS_MAX)
            self._scheduler.after(later_ms * MILLISECOND_NS, lambda: self._send(approval))

    def envelope(self, sender: str, body: Body) -> Envelope:
        """Wrap a message of anybody's."""
        self._said += 1
        clock = self._scheduler.clock
        name = f"{sender}-{self._said}"
        return Envelope(
            schema=SCHEMA,
            sender=sender,
            epoch=self._epoch,
            sequence=self._said,
            id=name,
            cause_id=name,
            sent_wall_ns=clock.wall_ns(),
            boot_id=clock.boot_id,
            sent_boot_ns=clock.boot_ns(),
            expires_boot_ns=None,
            body=body,
        )

    def _approval(self, intent_id: str, strategy: str, symbol: str, price: Decimal, quantity: Decimal) -> Approval:
        self._said += 1
        now_ns = self._scheduler.now_ns
        stop_fraction = Decimal(self._dice.randint(2, 20)) / 1_000
        return Approval(
            approval_id=f"approval-{self._said}",
            intent_id=intent_id,
            strategy=strategy,
            symbol=symbol,
            side="buy",
            quantity_max=quantity,
            price_low=price * (1 - BAND),
            price_high=price * (1 + BAND),
            decision_price=price,
            cover=StopCover((price * (1 - stop_fraction)).quantize(Decimal("0.001"))),
            targets=(),
            trail_distance=None,
            reserved_quote=quantity * price,
            start_by_boot_ns=now_ns + START_WITHIN_NS,
            work_until_boot_ns=now_ns + WORK_WITHIN_NS,
            risk_epoch=self._epoch,
        )

    def _send(self, approval: Approval) -> None:
        late_ms = self._weather.amount("approval late", 100, 4_000) if self._weather.strikes("approval late") else 0
        envelope = self.envelope("risk", approval)
        delay_ns = (late_ms + self._dice.randint(1, 4)) * MILLISECOND_NS
        self._scheduler.after(delay_ns, lambda: self._deliver(Asked("risk", envelope)))

    def _weather_changes(self) -> None:
        if self._weather.strikes("risk silent"):
            silent_ms = self._weather.amount("risk silent", 500, 8_000)
            self._silent_until_ns = self._scheduler.now_ns + silent_ms * MILLISECOND_NS
        if self._weather.strikes("risk restarted"):
            self._epoch += 1
        if self._weather.strikes("risk reduces"):
            self._permission = "REDUCE_ONLY"
            self._scheduler.after(self._weather.amount("risk reduces", 500, 8_000) * MILLISECOND_NS, self._allow)

    def _allow(self) -> None:
        self._permission = "RUN"
