"""Faults that begin and end: what changes at the venue meanwhile, and is as before afterwards."""

from collections.abc import Sequence
from typing import Final

from services.sim_exchange.face.interference import HangUp
from services.sim_exchange.face.records import Records
from services.sim_exchange.faults import vocabulary as faults
from services.sim_exchange.faults.clock import SkewableClock
from services.sim_exchange.faults.events import hang_up_on_account, hang_up_within
from services.sim_exchange.faults.hand import Filters, Hand
from services.sim_exchange.faults.past import Past
from services.sim_exchange.faults.rulebook import Rule
from services.sim_exchange.venue.vocabulary import Event

KEY_REVOKED: Final = 1008  # what a connection is told whose key is good for nothing any more


class LastingFaults:
    """What the faults that have begun and not ended do."""

    def __init__(self, *, hand: Hand, records: Records, clock: SkewableClock) -> None:
        self._hand: Final = hand
        self._records: Final = records
        self._clock: Final = clock
        self._halted: Final[dict[str, str]] = {}
        self._filters: Final[dict[str, Filters]] = {}
        self._pasts: Final[dict[str, Past]] = {}

    def begin(self, rule: Rule) -> HangUp | None:
        """Let a fault begin; return on whom it hangs up."""
        match rule.fault:
            case faults.RulesChange() as fault:
                self._filters[rule.fault_id] = self._hand.set_filters(fault.symbol, fault.changes())
            case faults.Halt(symbol=symbol):
                self._halted[rule.fault_id] = symbol
                self._hand.set_status(symbol, "HALT")
            case faults.ClockSkew(skew_ms=skew_ms):
                self._clock.skew_ms += skew_ms
            case faults.ReadLag(lag_ms=lag_ms):
                self._pasts[rule.fault_id] = Past(self._records, lag_ms=lag_ms)
            case faults.KeyRevoked(when=when):
                return hang_up_on_account(when.account, KEY_REVOKED)
            case faults.StreamCut(at="begin", code=code, when=when):
                return hang_up_within(when, code)
            case _:
                pass
        return None

    def end(self, rule: Rule) -> None:
        """Let a fault end."""
        match rule.fault:
            case faults.RulesChange(symbol=symbol):
                self._hand.set_filters(symbol, self._filters.pop(rule.fault_id))
            case faults.Halt(symbol=symbol):
                del self._halted[rule.fault_id]
                if symbol not in self._halted.values():
                    self._hand.set_status(symbol, "TRADING")
            case faults.ClockSkew(skew_ms=skew_ms):
                self._clock.skew_ms -= skew_ms
            case faults.ReadLag():
                del self._pasts[rule.fault_id]
            case _:
                pass

    def past(self, rule: Rule) -> Past:
        """Return what is read while answers lag."""
        past = self._pasts[rule.fault_id]
        past.advance(self._clock.true_ms())
        return past

    def take(self, events: Sequence[Event]) -> None:
        """Take up what happened at the venue."""
        for past in self._pasts.values():
            past.take(events, self._clock.true_ms())
