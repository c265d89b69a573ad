"""What may be said about the strategies that run, and what their catalog and the profile say to it."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic_core import PydanticCustomError

from shared.mesh.settings.strategies import Group, checked_groups, groups
from shared.mesh.settings.strategy_faults import strategy_faults
from tests.shared.mesh.settings.projects import a_configuration


def test_a_group_is_told_by_its_entry() -> None:
    """An entry names instance, strategy, timeframe and symbols, and what differs from the defaults."""
    entries = checked_groups(["strategy-fast=trend_continuation  5m BTC/USDT ETH/USDT quick stop_atr=2.5 rest_bars=3"])
    assert groups(entries) == (
        Group(
            instance="strategy-fast",
            strategy="trend_continuation",
            bar_length="5m",
            symbols=("BTC/USDT", "ETH/USDT"),
            parameter_sets=("quick",),
            parameters=(("stop_atr", Decimal("2.5")), ("rest_bars", Decimal(3))),
        ),
    )


def test_two_processes_of_one_strategy_own_positions_under_two_names() -> None:
    """A position goes by the strategy's name, and by what tells the process apart."""
    told = groups(["strategy=trend_continuation 1h BTC/USDT", "strategy-fast=trend_continuation 5m ETH/USDT"])
    assert [group.owner for group in told] == ["trend_continuation", "trend_continuation-fast"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("strategy=trend_continuation 1h BTC/USDT", "a list of at most 16 entries"),
        (["strategy"], "entry 1 is not written instance=strategy timeframe symbols"),
        (["strategy=trend_continuation 1h"], "entry 1 is not written instance=strategy timeframe symbols"),
        (["feed=trend_continuation 1h BTC/USDT"], "entry 1 names no instance before its ="),
        (["strategy=Trend 1h BTC/USDT"], "entry 1 names no strategy behind its ="),
        (["strategy=trend_continuation BTC/USDT ETH/USDT"], "entry 1 has no timeframe behind its strategy"),
        (["strategy=trend_continuation 1h quick"], "entry 1 has to name 1 to 50 symbols"),
        (["strategy=trend_continuation 1h BTC/usd"], "entry 1 has to name 1 to 50 symbols"),
        (["strategy=trend_continuation 1h BTC/USDT BTC/USDT"], "entry 1 has a symbol twice"),
        (["strategy=trend_continuation 1h BTC/USDT stop_atr=2 stop_atr=3"], "entry 1 has a parameter twice"),
        (["strategy=trend_continuation 1h BTC/USDT stop_atr=two"], "entry 1 has a parameter whose value is no plainly"),
        (["strategy=trend_continuation 1h BTC/USDT Stop=2"], "entry 1 has a word that is neither"),
        (
            ["strategy=trend_continuation 1h BTC/USDT", "strategy=trend_continuation 5m ETH/USDT"],
            "entry 2 has the instance of another",
        ),
    ],
)
def test_what_is_no_strategy_is_refused(value: object, words: str) -> None:
    """What cannot be meant is refused with its place and what to write instead."""
    with pytest.raises(PydanticCustomError, match=words):
        checked_groups(value)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("trend_continuatoin 1h BTC/USDT", "there is no such strategy, did you mean trend_continuation?"),
        ("trend_continuation 1h BTC/USDT slow", "no set of parameters 'slow': it has quick"),
        ("trend_continuation 1h BTC/USDT stop=2", "no parameter 'stop': it has atr_bars"),
        ("trend_continuation 1h BTC/USDT stop_atr=99", "stop_atr is 99, and may be 0.5 to 20"),
        ("trend_continuation 1h BTC/USDT atr_bars=2.5", "atr_bars is 2.5, and has to be a whole number"),
        ("trend_continuation 1h BTC/USDT stop_atr=4", "stop_atr is 4, and has to be below target_atr, which is 3"),
        ("trend_continuation 1h BTC/USDT risk_fraction=0.02", "risk.risk_per_trade_pct is 0.5, a fraction of 0.005"),
    ],
)
def test_what_a_strategy_cannot_take_is_told(entry: str, words: str, tmp_path: Path) -> None:
    """The catalog and the risk profile have their say, with the place of the entry and the line of the file."""
    configuration = a_configuration(tmp_path, local=f"strategies:\n  run: ['strategy={entry}']\n")
    (problem,) = strategy_faults(configuration)
    assert problem.where == "config/local.yaml:2"
    assert problem.text.startswith("entry 1: ")
    assert words in problem.text


def test_a_strategy_as_it_should_be_has_no_faults(tmp_path: Path) -> None:
    """A named set with one parameter that differs from it is fine."""
    local = "strategies:\n  run: [strategy=trend_continuation 1m BTC/USDT quick target_atr=12]\n"
    assert strategy_faults(a_configuration(tmp_path, local=local)) == []
