"""Which strategies run, each in a process of its own: on which bars of which symbols, with which parameters.

An entry is `strategy-fast=trend_continuation 5m BTC/USDT ETH/USDT quick stop_atr=2.5`: an instance, a strategy of
the catalog, the length of its bars, its symbols, and what differs from its defaults, as a named set or one by one. Here
it is about how that is written; whether the strategy knows these words says `strategy_faults`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from shared.market.timeframe import TimeframeRefusedError, timeframe
from shared.mesh.settings.feeds import SYMBOL
from shared.mesh.settings.section import Section
from shared.mesh.settings.values import refusal
from shared.mesh.settings.yaml_text import number_from_text

STRATEGIES_MAX = 16
SYMBOLS_MAX = 50
INSTANCE = "strategy"
EXAMPLE = "strategy=trend_continuation 1h BTC/USDT ETH/USDT stop_atr=2.5"
_INSTANCE = re.compile(r"strategy(-[a-z0-9_]{1,24})?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,22}")  # with the name of an instance it still fits a message


@dataclass(frozen=True)
class Group:
    """One strategy on the bars of some symbols: what one process decides on."""

    instance: str
    strategy: str
    bar_length: str
    symbols: tuple[str, ...]
    parameter_sets: tuple[str, ...]
    parameters: tuple[tuple[str, Decimal], ...]

    @property
    def owner(self) -> str:
        """The name by which its positions go: the strategy's, and what tells apart two processes with the same."""
        return self.strategy + self.instance.removeprefix(INSTANCE)


def checked_groups(value: object) -> tuple[str, ...]:
    """Return the entries as they were written; refuse by its place what names no strategy, or comes twice."""
    if not isinstance(value, list | tuple) or len(value) > STRATEGIES_MAX:
        raise refusal(f"must be a list of at most {STRATEGIES_MAX} entries such as {EXAMPLE}")
    entries = tuple(" ".join(str(entry).split()) for entry in value)
    for place, entry in enumerate(entries, start=1):
        if fault := _fault(entry):
            raise refusal(f"entry {place} {fault}")
    instances = [group.instance for group in groups(entries)]
    again = next((place for place, name in enumerate(instances) if name in instances[:place]), None)
    if again is not None:
        raise refusal(f"entry {again + 1} has the instance of another: each runs in a process of its own")
    return entries


def groups(entries: Sequence[str]) -> tuple[Group, ...]:
    """Return what the entries say."""
    return tuple(_group(entry) for entry in entries)


def _group(entry: str) -> Group:
    instance, _, rest = entry.partition("=")
    strategy, bar_length, *words = rest.split(" ")
    chosen = [word.partition("=") for word in words if "=" in word]
    return Group(
        instance=instance,
        strategy=strategy,
        bar_length=bar_length,
        symbols=tuple(word for word in words if "/" in word),
        parameter_sets=tuple(word for word in words if "/" not in word and "=" not in word),
        parameters=tuple((name, Decimal(number_from_text(number) or 0)) for name, _, number in chosen),
    )


def _fault(entry: str) -> str:
    """Say why an entry names no strategy; empty when it does."""
    instance, equals, rest = entry.partition("=")
    strategy, _, behind = rest.partition(" ")
    bar_length, _, words = behind.partition(" ")
    if not equals or not words:
        return f"is not written instance=strategy timeframe symbols, such as {EXAMPLE}"
    if not _INSTANCE.fullmatch(instance):
        return "names no instance before its =: write strategy, or strategy, a dash and a name, such as strategy-fast"
    if not _NAME.fullmatch(strategy):
        return "names no strategy behind its =: write one such as trend_continuation"
    try:
        timeframe(bar_length)
    except TimeframeRefusedError as error:
        return f"has no timeframe behind its strategy: {error}"
    return _fault_of_words(words.split(" "))


def _fault_of_words(words: Sequence[str]) -> str:
    symbols = [word for word in words if "/" in word]
    if not 1 <= len(symbols) <= SYMBOLS_MAX or any(not SYMBOL.fullmatch(symbol) for symbol in symbols):
        return f"has to name 1 to {SYMBOLS_MAX} symbols, written BASE/QUOTE, such as BTC/USDT"
    chosen = [word.partition("=") for word in words if "=" in word]
    sets = [word for word in words if "/" not in word and "=" not in word]
    names = [name for name, _, _ in chosen]
    if any(not _NAME.fullmatch(name) for name in [*names, *sets]):
        return "has a word that is neither a symbol, nor a set of parameters, nor a parameter such as stop_atr=2.5"
    if any(number_from_text(number) is None for _, _, number in chosen):
        return "has a parameter whose value is no plainly written number: write it like stop_atr=2.5"
    for what, found in (("symbol", symbols), ("parameter", names), ("set of parameters", sets)):
        if len(set(found)) < len(found):
            return f"has a {what} twice: keep one"
    return ""


class StrategySettings(Section):
    """What decides on entries and targets."""

    run: Annotated[tuple[str, ...], BeforeValidator(checked_groups)] = Field(
        (), description="The strategies that run, each with its process, the length of its bars, and its symbols."
    )

    @property
    def groups(self) -> tuple[Group, ...]:
        """What `run` says."""
        return groups(self.run)
