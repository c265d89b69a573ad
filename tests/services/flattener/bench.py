"""The flattener's core on a bench: its time is made by hand, and what it reports is durable at once."""

from typing import Final

import msgspec

from proto.envelope import SCHEMA, Body, Envelope
from proto.health import Heartbeat
from services.flattener.core.flattener import FlattenerCore
from shared.core.service import Asked, Effect, Happening, Heard, Moment, Recorded, Report, Started, Woken
from shared.execution.core import TradedAccount
from shared.trading.costs import FeeAccount

BTC: Final = "BTC/USDT"
ETH: Final = "ETH/USDT"
SECOND_NS: Final = 1_000_000_000
ACCOUNT: Final = TradedAccount(
    venue="sim",
    feeds=dict.fromkeys((BTC, ETH), "feed"),
    quote_asset="USDT",
    tag="desk",
    fees=FeeAccount("binance", "spot", vip_level=0, pays_in_bnb=False),
    name="sim/simulated/main",
)


class Bench:
    """A core, its time, and what it did."""

    def __init__(self) -> None:
        self.core: Final = FlattenerCore(ACCOUNT)
        self.now_ns = 100 * SECOND_NS
        self.reports: list[Body] = []
        self._sequence = self._asked = self._handled = 0

    def begin(self) -> "Bench":
        """Let it have its first word."""
        self.take(Started("flattener", 1, 0, ()))
        self.wait(0)
        return self

    def take(self, happening: Happening) -> list[Effect]:
        """Hand something in, let every report be durable, and return everything that was done about it."""
        done: list[Effect] = []
        waiting = [list(self.core.handle(happening, self._moment()))]
        while waiting:
            effects = waiting.pop(0)
            envelopes = [self._recorded(effect.body) for effect in effects if isinstance(effect, Report)]
            waiting += [list(self.core.handle(Recorded(envelope), self._moment())) for envelope in envelopes]
            done += [effect for effect in effects if not isinstance(effect, Report)]
        return done

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass, and the core look at its end."""
        self.now_ns += int(seconds * SECOND_NS)
        return self.take(Woken("look"))

    def ask(self, body: Body) -> list[Effect]:
        """Ask as an operator."""
        return self.take(self.asked(body))

    def hear(self, instance: str, state: str = "running", *, epoch: int = 1, moves: bool = True) -> list[Effect]:
        """Let it hear a heartbeat."""
        self._handled += moves
        beat = Heartbeat(
            state=state,  # type: ignore[arg-type]  # the tests name the four there are
            handled=self._handled,
            queued=0,
            flatten_step=0,
            money_config_digest="0" * 64,
            loop_gap_max_ns=0,
            memory_bytes=0,
            cpu_time_ns=0,
            published=(),
            anchor=None,
            troubles=(),
        )
        envelope = msgspec.structs.replace(self._envelope(beat, sender=instance, sequence=1), epoch=epoch)
        return self.take(Heard(instance, envelope))

    def say(self, instance: str, body: Body) -> list[Effect]:
        """Let it hear something else."""
        return self.take(Heard(instance, self._envelope(body, sender=instance, sequence=1)))

    def asked(self, body: Body) -> Asked:
        """Return a request of an operator."""
        self._asked += 1
        return Asked("operator", self._envelope(body, sender="operator", sequence=self._asked))

    def _recorded(self, body: Body) -> Envelope:
        self._sequence += 1
        self.reports.append(body)
        return self._envelope(body, sender="flattener", sequence=self._sequence)

    def _envelope(self, body: Body, *, sender: str, sequence: int) -> Envelope:
        name = f"{sender}-{sequence}"
        return Envelope(SCHEMA, sender, 1, sequence, name, name, self.now_ns, "boot", self.now_ns, None, body)

    def _moment(self) -> Moment:
        return Moment(self.now_ns, self.now_ns, "boot")
