"""What is told instead of an event: nothing, it twice, it later, it with something wrong in it, or a hang-up."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from services.sim_exchange.face.interference import Going, HangUp, Outgoing
from services.sim_exchange.face.layout import Payload
from services.sim_exchange.faults import vocabulary as faults
from services.sim_exchange.faults.candles import events_changed
from services.sim_exchange.faults.prices import WrongPrices
from services.sim_exchange.faults.reports import HeldReports, contradiction
from services.sim_exchange.faults.rulebook import Rule
from services.sim_exchange.faults.scope import REPORT, Occasion, in_scope, stream_kind, stream_symbol
from services.sim_exchange.faults.vocabulary import When

Firing = Callable[[Occasion], Iterable[Rule]]


class EventFaults:
    """Does to events what the faults that fire want done."""

    def __init__(self, *, firing: Firing, prices: WrongPrices) -> None:
        self._firing: Final = firing
        self._prices: Final = prices
        self.held: Final = HeldReports()

    def told(self, outgoing: Outgoing, now_ms: int) -> Sequence[Going]:
        """Return what is told in the event's place."""
        occasion = occasion_of(outgoing)
        going = [outgoing]
        for rule in self._firing(occasion):
            match rule.fault:
                case faults.StreamCut(code=code):
                    return (_hang_up_on(outgoing, code),)
                case faults.StreamSilent() | faults.ReportLost() | faults.SequenceGap():
                    return ()
                case faults.ReportsReordered(behind=behind, held_ms=held_ms):
                    if self.held.hold(outgoing, behind=behind, due_ms=now_ms + held_ms):
                        return ()
                case _:
                    going = [changed for one in going for changed in self._changed(rule, one)]
        if occasion.stream == REPORT:
            going += self.held.overtaken(outgoing.account)
        return going

    def _changed(self, rule: Rule, outgoing: Outgoing) -> list[Outgoing]:
        payload = outgoing.payload
        match rule.fault:
            case faults.ReportDuplicated(times=times):
                return [outgoing] * times
            case faults.ReportContradictory() as fault:
                assert isinstance(payload, dict), "a report is one event"
                return [outgoing, _with(outgoing, contradiction(fault, payload))]
            case faults.WrongPrice() as fault:
                wrong = self._prices.told(fault, rule.fault_id, outgoing.stream, payload)
                assert isinstance(wrong, dict | list), "an event stays one"
                return [_with(outgoing, wrong)]
            case faults.CandleMissing() | faults.CandleDuplicate() | faults.CandleRevised() as fault:
                assert isinstance(payload, dict), "a bar is told alone"
                return [_with(outgoing, changed) for changed in events_changed(fault, payload)]
            case _:
                return [outgoing]


def occasion_of(outgoing: Outgoing) -> Occasion:
    """Return an event as the rules look at it."""
    payload = outgoing.payload
    if not isinstance(payload, dict):
        return Occasion(point="event", stream=outgoing.stream)
    stream = outgoing.stream or str(payload.get("e", ""))
    bar = payload.get("k")
    return Occasion(
        point="event",
        stream=stream,
        account=outgoing.account or None,
        symbol=_text(payload.get("s")) or stream_symbol(stream),
        client_id=_text(payload.get("C")) or _text(payload.get("c")) if stream == REPORT else None,
        is_closed_bar=stream_kind(stream) == "kline" and isinstance(bar, dict) and bar.get("x") is True,
    )


def hang_up_within(when: When, code: int | None) -> HangUp:
    """Return the end of every connection that follows something within a scope."""

    def concerns(stream: str, account: str) -> bool:
        if not stream:  # an account's own events know no symbol before they happen
            return when.account in {None, account} and when.symbol is None and when.stream is None
        followed = Occasion(point="event", stream=stream, symbol=stream_symbol(stream))
        return in_scope(when, followed)

    return HangUp(concerns=concerns, code=code)


def hang_up_on_account(account: str | None, code: int | None) -> HangUp:
    """Return the end of every connection that follows an account, or any account."""
    return HangUp(concerns=lambda _, followed: followed != "" and account in {None, followed}, code=code)


def _hang_up_on(outgoing: Outgoing, code: int | None) -> HangUp:
    followed = (outgoing.stream, outgoing.account)
    return HangUp(concerns=lambda stream, account: (stream, account) == followed, code=code)


def _with(outgoing: Outgoing, payload: Payload | list[Payload]) -> Outgoing:
    return msgspec.structs.replace(outgoing, payload=payload)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
