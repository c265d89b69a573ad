"""What executor, risk and exchange say and write down, for tests to make it up and to break it."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from services.verify.checker.checking import judged
from services.verify.checker.evidence import PREFIX, Evidence, Limits
from services.verify.checker.exchange_log import log_of
from services.verify.checker.frames import mark_of
from services.verify.checker.journal import journal_of
from services.verify.checker.verdict import Verdict
from tests.checker.venue import Venue
from tests.checker.wire import NS_PER_MS, START_BOOT_NS, START_WALL_NS, STATE, Said, Written, word, written

SYMBOL: Final = "BTC/USDT"
LIMITS: Final = Limits(
    exposure_fraction_max=Decimal("0.3"),
    position_fraction_max=Decimal("0.1"),
    position_quote_max=Decimal(1000),
    order_fraction_max=Decimal("0.05"),
    order_quote_max=Decimal(500),
    entries_per_day_max=10,
    daily_loss_fraction_max=Decimal("0.03"),
    orders_per_minute_max=20,
)
SIDES: Final = {"entry": "buy", "exit": "sell", "cover": "sell"}


def client_id(name: str) -> str:
    """Return the client id of an order by its short name."""
    return f"bw-main-{name}"


@dataclass
class Story:
    """What was said and what was written down; a test changes it before it is judged."""

    executor: list[Said] = field(default_factory=list)
    risk: list[Said] = field(default_factory=list)
    flattener: list[Said] = field(default_factory=list)
    venue: Venue = field(default_factory=Venue)
    limits: Limits = LIMITS
    settled: bool = True
    log_number_before: int | None = None
    parents: dict[str, str] = field(default_factory=dict)
    epoch: int = 7
    state: bytes = STATE  # with which the executor's page begins

    def says(self, at_ms: int, name: str, /, **values: Any) -> None:  # noqa: ANN401 -- the fields of any message
        """Let the executor write something down."""
        self.executor.append(Said(at_ms, word(name, **values), epoch=self.epoch))

    def risk_says(self, at_ms: int, name: str, /, **values: Any) -> None:  # noqa: ANN401 -- the same
        """Let risk write something down."""
        self.risk.append(Said(at_ms, word(name, **values), sender="risk", epoch=17))

    def key(self, name: str) -> list[Any]:
        """Return which order it is: its first letter says what for."""
        purpose = {"e": "entry", "x": "exit", "c": "cover"}[name[0]]
        return word(
            "OrderKey",
            client_order_id=client_id(name),
            parent_id=self.parents[name],
            strategy="trend",
            symbol=SYMBOL,
            side=SIDES[purpose],
            purpose=purpose,
        )

    def mark(self, at_ms: int, name: str, parent: str, quantity: str, *, child: int = 1, **prices: str) -> None:
        """Mark an order: a limit or a stop price makes it what it is."""
        self.parents[name] = parent
        self.says(
            at_ms,
            "send_marked.1",
            order=self.key(name),
            order_type="limit" if "limit" in prices else "stop_market" if "stop" in prices else "market",
            quantity=quantity,
            limit_price=prices.get("limit"),
            stop_price=prices.get("stop"),
            decision_price="100",
            cost_expected_fraction="0.0012",
            child_number=child,
            window_ns=3_000 * NS_PER_MS,
            lease_age_ns=120 * NS_PER_MS if name[0] == "e" else None,
        )

    def acknowledge(self, at_ms: int, name: str) -> None:
        """Hear that the exchange has an order."""
        self.says(
            at_ms,
            "order_acknowledged.1",
            order=self.key(name),
            venue_order_id=str(self.venue.orders[client_id(name)]["order_id"]),
            venue_time_ns=START_WALL_NS,
        )

    def send(self, at_ms: int, name: str, parent: str, quantity: str, *, child: int = 1, **prices: str) -> None:
        """Mark an order, let the exchange take it, and hear of it, in 20 ms."""
        self.mark(at_ms, name, parent, quantity, child=child, **prices)
        kind = "LIMIT" if "limit" in prices else "STOP_LOSS" if "stop" in prices else "MARKET"
        self.venue.place(at_ms + 10, client_id(name), SIDES_AT_VENUE[name[0]], kind=kind, quantity=quantity)
        self.acknowledge(at_ms + 20, name)

    def fill(self, at_ms: int, name: str, quantity: str, price: str, fee: tuple[str, str]) -> None:
        """Let the exchange fill an order, and hear of it 10 ms later."""
        trade_id = self.venue.fill(at_ms, client_id(name), quantity, price, fee=fee)
        order = self.venue.orders[client_id(name)]
        self.says(
            at_ms + 10,
            "order_filled.1",
            order=self.key(name),
            venue_order_id=str(order["order_id"]),
            trade_id=trade_id,
            price=price,
            quantity=quantity,
            quote_quantity=str(Decimal(price) * Decimal(quantity)),
            cumulative_quantity=order["filled"],
            fee=fee[0],
            fee_asset=fee[1],
            liquidity="taker",
            venue_time_ns=START_WALL_NS + at_ms * NS_PER_MS,
            decision_price="100",
            cost_expected_quote=str(Decimal(price) * Decimal(quantity) * Decimal("0.0012")),
        )

    def ended(self, at_ms: int, name: str, ending: str, executed: str = "0", average: str | None = None) -> None:
        """Say how an order ended."""
        self.says(
            at_ms,
            "order_ended.1",
            order=self.key(name),
            ending=ending,
            executed_quantity=executed,
            average_price=average,
            venue_code="",
            reason="",
        )

    def cancel(self, at_ms: int, name: str, executed: str = "0", average: str | None = None) -> None:
        """Cancel an order at the exchange and see it terminal, in 20 ms."""
        self.says(at_ms, "cancel_marked.1", order=self.key(name), reason="")
        self.venue.end(at_ms + 10, client_id(name), "CANCELED")
        self.ended(at_ms + 20, name, "canceled", executed, average)

    def position(self, at_ms: int, quantity: str, covered: str = "0") -> None:
        """Say what is held."""
        self.says(
            at_ms,
            "position_changed.1",
            strategy="trend",
            symbol=SYMBOL,
            quantity=quantity,
            average_entry_price="100" if quantity != "0" else None,
            covered_quantity=covered,
        )

    def reconcile(self, at_ms: int) -> None:
        """Hold the books against the venue's."""
        self.says(at_ms, "reconcile_finished.1", pass_number=1, clean=True, differences=[], trades_read=[])

    def approve(self, at_ms: int, number: int, *, reserved: str = "50.5") -> None:
        """Let risk approve an intent, and the executor open it 50 ms later."""
        approval = an_approval(at_ms, number, reserved=reserved)
        self.risk_says(
            at_ms,
            "intent_judged.1",
            intent=an_intent(number),
            approval=approval,
            refusal=None,
            equity_quote="10000",
            exposure_quote="0",
            entries_today=number - 1,
        )
        self.says(at_ms + 50, "entry_opened.1", approval=list(approval))

    def end_entry(self, at_ms: int, number: int, filled: str = "0") -> None:
        """Let an entry end, and risk free what it reserved 10 ms later."""
        self.says(
            at_ms,
            "entry_ended.1",
            approval_id=f"a{number}",
            intent_id=f"i{number}",
            strategy="trend",
            symbol=SYMBOL,
            filled_quantity=filled,
            reason="",
        )
        freed = {"approval_id": f"a{number}", "filled_quantity": filled, "reason": ""}
        self.risk_says(at_ms + 10, "reservation_freed.1", **freed)

    # How a test finds what it breaks.

    def nth(self, name: str, place: int = 0) -> Said:
        """Return the nth record of a word in the executor's journal."""
        return [said for said in self.executor if said.tag == name][place]

    def of_risk(self, name: str, place: int = 0) -> Said:
        """Return the nth record of a word in risk's journal."""
        return [said for said in self.risk if said.tag == name][place]

    def of_order(self, name: str, tag: str) -> Said:
        """Return the first record of a word about an order."""
        about = [
            said for said in self.executor if said.tag == tag and said.get("order.client_order_id") == client_id(name)
        ]
        return about[0]

    def without(self, said: Said) -> None:
        """Take a record away."""
        journal = next(journal for journal in (self.executor, self.risk, self.flattener) if said in journal)
        journal[:] = [other for other in journal if other is not said]

    def again(self, said: Said) -> None:
        """Write a record a second time, right behind itself."""
        journal = self.executor if any(other is said for other in self.executor) else self.risk
        place = next(place for place, other in enumerate(journal) if other is said)
        journal.insert(place + 1, Said(said.at_ms, list(said.body), said.sender, said.epoch, said.boot_id))

    def move(self, said: Said, before: Said) -> None:
        """Put a record before another."""
        self.executor[:] = [other for other in self.executor if other is not said]
        place = next(place for place, other in enumerate(self.executor) if other is before)
        self.executor.insert(place, said)

    def log_events(self, name: str) -> list[dict[str, Any]]:
        """Return what the log tells of an order."""
        events = [event for line in self.venue.lines for event in line.get("events", [])]
        return [event for event in events if event.get("order", {}).get("client_id") == client_id(name)]

    # How it is judged.

    def log_bytes(self) -> bytes:
        """Return the log as it is written."""
        numbered = ({**line, "number": number} for number, line in enumerate(self.venue.lines, start=1))
        return b"".join(json.dumps(line).encode() + b"\n" for line in numbered)

    def journals(self) -> dict[str, Written]:
        """Return the journals as they are written."""
        return {
            "executor": written(self.executor, state=self.state),
            "risk": written(self.risk),
            "flattener": written(self.flattener),
        }

    def evidence(self, *, executor: bool = True, risk: bool = True, log: bool = True) -> Evidence:
        """Write all of it down and read it again; parts may be left out."""
        said, judged_by_risk, taken_over = self.journals().values()
        return Evidence(
            executor=journal_of("executor", said.files, mark_of(said.mark())) if executor else None,
            risk=journal_of("risk", judged_by_risk.files, mark_of(judged_by_risk.mark())) if risk else None,
            flattener=journal_of("flattener", taken_over.files, mark_of(taken_over.mark())) if self.flattener else None,
            log=log_of([("00000001.jsonl", self.log_bytes())], PREFIX) if log else None,
            limits=self.limits,
            settled=self.settled,
            log_number_before=self.log_number_before,
        )

    def verdict(self) -> Verdict:
        """Judge it."""
        return judged(self.evidence())


SIDES_AT_VENUE: Final = {"e": "BUY", "x": "SELL", "c": "SELL"}


def an_intent(number: int) -> list[Any]:
    """Return what a strategy asks for."""
    return word(
        "enter_bracket.1",
        intent_id=f"i{number}",
        strategy="trend",
        symbol=SYMBOL,
        side="buy",
        timeframe="1m",
        bar_close_time_ns=START_WALL_NS,
        market_seen=word("StreamPosition", stream="binance/BTC/USDT/bar_closed", epoch=3, sequence=12),
        decision_price="100",
        price_worst="101",
        cover=["stop", "95"],
        targets=[word("Target", price="110", quantity_fraction="1")],
        trail_distance=None,
        risk_fraction="0.005",
        expected_gain_fraction=None,
        work_for_ns=30_000 * NS_PER_MS,
        evidence=[word("Evidence", name="adx", value="31")],
    )


def an_approval(at_ms: int, number: int, *, reserved: str) -> list[Any]:
    """Return what risk gives for it."""
    return word(
        "approval.1",
        approval_id=f"a{number}",
        intent_id=f"i{number}",
        strategy="trend",
        symbol=SYMBOL,
        side="buy",
        quantity_max="0.5",
        price_low="99",
        price_high="101",
        decision_price="100",
        cover=["stop", "95"],
        targets=[word("Target", price="110", quantity_fraction="1")],
        trail_distance=None,
        reserved_quote=reserved,
        start_by_boot_ns=START_BOOT_NS + (at_ms + 2_000) * NS_PER_MS,
        work_until_boot_ns=START_BOOT_NS + (at_ms + 30_000) * NS_PER_MS,
        risk_epoch=17,
    )
