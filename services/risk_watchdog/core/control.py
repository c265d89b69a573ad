"""What an operator may tell risk, and what it answers. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from proto.control import ControlDone, ControlRefused, PauseEntries, ResumeEntries
from proto.envelope import Body
from proto.fields import Name, clipped
from proto.risk import Everything, OfStrategy, OfSymbol
from proto.verdicts import EntriesPaused, EntriesResumed
from services.risk_watchdog.core.facts import PauseKey
from services.risk_watchdog.core.terms import RiskTerms
from shared.core.scopes import scope_words
from shared.core.service import Answer, Asked, Effect, Report

PAUSES_MAX: Final = 256


def acted(asked: Asked, pauses: Mapping[PauseKey, EntriesPaused], terms: RiskTerms) -> Sequence[Effect]:
    """Return the record of an act and its answer, or its refusal."""
    match asked.envelope.body:
        case PauseEntries(scope=OfSymbol(symbol=symbol)) if symbol not in terms.markets:
            words = f"{symbol} is not traded; traded are {', '.join(terms.markets)}"
            return (_refused(asked, "symbol_is_traded", words),)
        case PauseEntries(scope=OfStrategy(strategy=strategy)) if strategy not in terms.strategies.values():
            words = f"there is no strategy {strategy} here; there are {', '.join(terms.strategies.values()) or 'none'}"
            return (_refused(asked, "strategy_runs", words),)
        case PauseEntries(actor=actor, reason=reason, scope=scope):
            if len(pauses) >= PAUSES_MAX and (scope, actor) not in pauses and not isinstance(scope, Everything):
                words = f"{PAUSES_MAX} scopes are paused already: resume some of them, or pause everything"
                return (_refused(asked, "pauses_within_limit", words),)
            done = f"no new entries in {scope_words(scope)} until they are resumed; exits and covers go on"
            return _recorded(asked, EntriesPaused(scope, actor, reason), done, reducing=True)
        case ResumeEntries(actor=actor, reason=reason, scope=scope):
            scopes = dict.fromkeys(paused for paused, _ in pauses)
            if scope not in scopes:
                paused = f"{scope_words(scope)} is not paused; paused is: {'; '.join(map(scope_words, scopes))}"
                return (_refused(asked, "scope_is_paused", paused if scopes else "there is no pause to lift"),)
            done = f"the pause of {scope_words(scope)} is lifted, and nothing else"
            return _recorded(asked, EntriesResumed(scope, actor, reason), done, reducing=False)
        case _:
            words = "risk closes nothing: ask the executor, or the flattener where that one does not answer"
            return (_refused(asked, "act_is_possible", words),)


def _recorded(asked: Asked, record: Body, done: str, *, reducing: bool) -> Sequence[Effect]:
    return (Report(record, asked.envelope.id, reducing), Answer(asked, ControlDone(clipped(done))))


def _refused(asked: Asked, rule: Name, reason: str) -> Answer:
    return Answer(asked, ControlRefused(rule, clipped(reason)))
