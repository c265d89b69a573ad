"""What the money hash depends on, and what it does not."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mesh.settings import money_hash
from shared.mesh.settings.fingerprint import MONEY_SECTIONS, canonical_money
from shared.mesh.settings.layers import environment_layer, environment_name
from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.model import RiskSettings, Settings, VenueSettings, sections
from shared.mesh.settings.profiles import PROFILES
from shared.mesh.settings.values import plain
from shared.mesh.settings.yaml_text import parse_yaml
from tests.shared.mesh.settings.projects import CHECKOUT, a_configuration

GOLDEN = "6c06e389ff6582fbacacda6f092b3c970224549aa2485a1a686a24febbfa7efd"
PERCENTS = st.decimals(min_value="0.5", max_value="10", places=3)


def the_settings(position_pct: Decimal = Decimal(10), *, symbols: tuple[str, ...] = ("BTC/USDT",)) -> Settings:
    """Return settings with the small profile's limits and this position limit."""
    limits = {**PROFILES["small"], "position_pct": position_pct, "order_pct": Decimal("0.5")}
    return Settings(
        venue=VenueSettings(symbols=symbols),
        risk=RiskSettings.model_validate(limits),
    )


def test_the_hash_of_what_is_shipped_is_known(tmp_path: Path) -> None:
    """The shipped configuration has this hash on every machine; a change of it ends every arming, on purpose."""
    assert money_hash(a_configuration(tmp_path).settings) == GOLDEN


@given(PERCENTS, st.integers(min_value=0, max_value=6))
def test_trailing_zeros_change_nothing(percentage: Decimal, zeros: int) -> None:
    """0.5 and 0.50 are the same limit."""
    longer = Decimal(format(percentage, "f") + "0" * zeros)
    assert money_hash(the_settings(longer)) == money_hash(the_settings(percentage))


@given(PERCENTS, PERCENTS)
def test_another_limit_is_another_hash(one: Decimal, other: Decimal) -> None:
    """Two limits have one hash exactly when they are equal."""
    assert (money_hash(the_settings(one)) == money_hash(the_settings(other))) == (one == other)


@given(PERCENTS)
def test_the_source_of_a_limit_changes_nothing(percentage: Decimal) -> None:
    """YAML and environment hand over the same exact number."""
    lines, problems = parse_yaml(f"risk:\n  position_pct: {plain(percentage)}\n", name="x")
    layer, more_problems = environment_layer({environment_name("risk.position_pct"): plain(percentage)})
    assert not problems
    assert not more_problems
    assert (
        Decimal(str(lines["risk.position_pct"].value)) == Decimal(str(layer["risk.position_pct"].value)) == percentage
    )


@given(st.permutations(["BTC/USDT", "ETH/USDT", "SOL/USDT", "ADA/USDT"]))
def test_the_order_of_symbols_changes_nothing(symbols: list[str]) -> None:
    """Which symbol is named first moves no money."""
    assert money_hash(the_settings(symbols=tuple(symbols))) == money_hash(the_settings(symbols=tuple(sorted(symbols))))


def test_layout_changes_nothing(tmp_path: Path) -> None:
    """Order of keys, file, style, and naming what the profile gives anyway leave the hash as it is."""
    limits = "".join(
        f"  {key}: {value if isinstance(value, str) else plain(Decimal(str(value)))}\n"
        for key, value in sorted(PROFILES["small"].items(), reverse=True)
    )
    shipped = f"risk:\n{limits}  profile: standard\nlogs: {{level: debug}}\n"
    local = "paths:\n  var_directory: elsewhere\nvenue: {symbols: [eth/usdt, btc/usdt], account: main}\n"
    assert money_hash(a_configuration(tmp_path, shipped=shipped, local=local).settings) == GOLDEN


@pytest.mark.parametrize(
    "local",
    [
        "venue:\n  account: second\n",
        "venue:\n  symbols: [BTC/USDT]\n",
        "venue:\n  vip_level: 1\n",
        "venue:\n  bnb_fees: on\n",
        "strategies:\n  run: [strategy=trend_continuation 1h BTC/USDT]\n",
        "risk:\n  profile: standard\n",
        "risk:\n  positions_max: 2\n",
        "risk:\n  reserve_cash_pct: 20.01\n",
    ],
)
def test_whatever_moves_money_changes_the_hash(local: str, tmp_path: Path) -> None:
    """Venue, account, symbols and every limit are in the hash."""
    assert money_hash(a_configuration(tmp_path, local=local).settings) != GOLDEN


def test_another_venue_changes_the_hash(a_shipped_configuration: Configuration) -> None:
    """The venue is in the hash, though only one is supported today."""
    settings = a_shipped_configuration.settings
    elsewhere = settings.model_copy(update={"venue": settings.venue.model_copy(update={"name": "kraken"})})
    assert money_hash(elsewhere) != money_hash(settings) == GOLDEN


def test_every_section_has_been_judged() -> None:
    """A new section must be declared relevant to money, or added here as not."""
    assert set(sections()) == MONEY_SECTIONS | {
        "paths",
        "logs",
        "mesh",
        "feed",
        "metrics",
        "redis",
        "alerts",
        "sim_exchange",
        "executor",
    }


def test_the_canonical_form_holds_no_profile_name(a_shipped_configuration: Configuration) -> None:
    """The canonical text is ASCII and names limits, not where they came from."""
    text = canonical_money(a_shipped_configuration.settings)
    assert text.isascii()
    assert "profile" not in text


@pytest.fixture
def a_shipped_configuration(tmp_path: Path) -> Configuration:
    """Return the configuration that Bowline ships."""
    return a_configuration(tmp_path)


def test_the_seed_of_hashing_changes_nothing() -> None:
    """Another process with another PYTHONHASHSEED computes the same hash."""
    program = (
        "import sys; from pathlib import Path; from shared.mesh.settings import load_configuration, money_hash;"
        "sys.stdout.write(money_hash(load_configuration(root=Path(sys.argv[1]), environment={}).settings))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": str(CHECKOUT)}
    command = [sys.executable, "-c", program, str(CHECKOUT)]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == GOLDEN
