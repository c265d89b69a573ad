"""The core of the strategy of the chaos tests: asks, and asks again under the same id, until it has an answer. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from proto.intents import ExitTaken, SetExit
from proto.streams import RequestRefused
from shared.core.service import Answered, Ask, Effect, Happening, Moment, Unanswered, WakeAt, Woken
from tests.chaos.duty import Duty
from tests.chaos.testimony import AskedFor, GotAnswer, GotNothing, GotRefusal, Line

TICK_NS: Final = 20_000_000
OUTSTANDING_MAX: Final = 8


class RequesterCore(Duty):
    """Knows from its own testimony what it asked before it died."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._outstanding: Final[set[str]] = set()
        self._to_ask: Final[list[str]] = []
        self._finishing = False

    def begin(self, past: Sequence[Line], now: Moment) -> Sequence[Effect]:
        """Ask for whatever has no answer yet."""
        asked = dict.fromkeys(line.said.ask_id for line in past if isinstance(line.said, AskedFor))
        answered = {line.said.ask_id for line in past if isinstance(line.said, GotAnswer)}
        self._number = len(asked)
        self._to_ask.extend(ask_id for ask_id in asked if ask_id not in answered)
        self._outstanding.update(self._to_ask)
        return self._go_on(now)

    def work(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Ask at every tick, and note what comes of it."""
        match happening:
            case Woken():
                return self._go_on(now)
            case Answered(ask_id=ask_id, envelope=envelope):
                return self._answered(ask_id, envelope.body)
            case Unanswered(ask_id=ask_id):
                self._to_ask.append(ask_id)
                return (self.testify(GotNothing(ask_id)),)
            case _:
                return ()

    def finish(self) -> Sequence[Effect]:
        """Ask for nothing new, and wait for what is outstanding."""
        self._finishing = True
        return () if self._outstanding else super().finish()

    def _answered(self, ask_id: str, body: object) -> Sequence[Effect]:
        if isinstance(body, ExitTaken):
            self._outstanding.remove(ask_id)
            got = self.testify(GotAnswer(ask_id, str(body.target_quantity)))
            return (got, *super().finish()) if self._finishing and not self._outstanding else (got,)
        self._to_ask.append(ask_id)
        rule = body.rule if isinstance(body, RequestRefused) else type(body).__name__
        return (self.testify(GotRefusal(ask_id, rule)),)

    def _go_on(self, now: Moment) -> Sequence[Effect]:
        if not self._finishing and len(self._outstanding) < OUTSTANDING_MAX:
            self._number += 1
            self._to_ask.append(f"strategy-ask-{self._number}")
            self._outstanding.add(self._to_ask[-1])
        effects: list[Effect] = [self.testify(*map(AskedFor, self._to_ask))]
        effects += [Ask("executor", _wanted(ask_id), ask_id) for ask_id in self._to_ask]
        self._to_ask.clear()
        return (*effects, WakeAt("tick", now.boot_ns + TICK_NS))


def _wanted(ask_id: str) -> SetExit:
    return SetExit(
        exit_id=ask_id, strategy="trend", symbol="BTC/USDT", target_quantity=Decimal(0), reason="the chaos test asks"
    )
