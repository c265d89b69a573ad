"""What the loader takes in, in which order, and where it says a value came from."""

from decimal import Decimal
from pathlib import Path

import pytest

from shared.mesh.settings import SettingsError, load_configuration
from shared.mesh.settings.layers import environment_name
from shared.mesh.settings.model import settings_keys
from shared.mesh.settings.profiles import PROFILES
from tests.shared.mesh.settings.projects import a_configuration, a_project


def test_the_shipped_configuration_is_good(tmp_path: Path) -> None:
    """What Bowline ships loads without local file or environment, with the small profile."""
    configuration = a_configuration(tmp_path)
    assert configuration.settings.risk.profile == "small"
    assert configuration.settings.risk.position_pct == Decimal(10)


def test_later_layers_win_and_every_value_knows_its_origin(tmp_path: Path) -> None:
    """The environment wins over local.yaml over bowline.yaml over the profile over the default."""
    configuration = a_configuration(
        tmp_path,
        shipped="logs:\n  level: warning\nrisk:\n  position_pct: 8\n  exposure_pct: 25\n",
        local="risk:\n  position_pct: 9\n  exposure_pct: 26\n",
        environment={"BOWLINE_RISK__POSITION_PCT": "9.5"},
    )
    assert configuration.settings.risk.position_pct == Decimal("9.5")
    assert configuration.origins["risk.position_pct"] == "environment BOWLINE_RISK__POSITION_PCT"
    assert configuration.origins["risk.exposure_pct"] == "config/local.yaml:3"
    assert configuration.origins["logs.level"] == "config/bowline.yaml:2"
    assert configuration.origins["risk.reserve_cash_pct"] == "profile small"
    assert configuration.origins["venue.name"] == "default"


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_profile_gives_every_limit_it_does_not_contradict(profile: str, tmp_path: Path) -> None:
    """Each profile names every limit, within range, and without contradiction."""
    limits = {key.removeprefix("risk.") for key in settings_keys() if key.startswith("risk.")} - {"profile"}
    assert set(PROFILES[profile]) == limits
    assert a_configuration(tmp_path, local=f"risk:\n  profile: {profile}\n").settings.risk.profile == profile


def test_one_tenth_is_one_tenth(tmp_path: Path) -> None:
    """A number of YAML reaches the code exactly, never through a float."""
    risk = a_configuration(tmp_path, local="risk:\n  risk_per_trade_pct: 0.1\n").settings.risk
    assert risk.risk_per_trade_pct == Decimal("0.1")
    assert risk.risk_per_trade_fraction == Decimal("0.001")


@pytest.mark.parametrize("key", [key for key in settings_keys() if key.endswith("_pct")])
def test_every_percentage_is_exposed_as_a_fraction(key: str, tmp_path: Path) -> None:
    """For each `_pct` key the code reads a `_fraction` that is a hundredth of it."""
    section, name = key.split(".")
    settings = getattr(a_configuration(tmp_path).settings, section)
    assert getattr(settings, f"{name.removesuffix('_pct')}_fraction") * 100 == getattr(settings, name)


def test_symbols_are_normalised(tmp_path: Path) -> None:
    """Symbols are taken in any case, from a YAML list or a comma-separated variable, and kept in capitals."""
    environment = {"BOWLINE_VENUE__SYMBOLS": "btc/usdt, Sol/usdt"}
    assert a_configuration(tmp_path, environment=environment).settings.venue.symbols == ("BTC/USDT", "SOL/USDT")


def test_words_stay_words(tmp_path: Path) -> None:
    """`no`, `on` and `yes` are words in our YAML, so an account may be called `no`."""
    assert a_configuration(tmp_path, local="venue:\n  account: no\n").settings.venue.account == "no"


@pytest.mark.parametrize("local", ["", "# all commented out\n"])
def test_an_empty_local_file_changes_nothing(local: str, tmp_path: Path) -> None:
    """config/local.yaml may be empty: its owner has commented everything out."""
    assert a_configuration(tmp_path, local=local).settings.risk.profile == "small"


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    """A file saved by an editor that writes a byte order mark is read."""
    root = a_project(tmp_path, local=b"\xef\xbb\xbflogs:\n  level: debug\n")
    assert load_configuration(root=root, environment={}).settings.logs.level == "debug"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """One run names every problem of both files and of the environment."""
    local = "risk:\n  positon_pct: 5\n  exposure_pct: -1\n  exposure_pct: 3\nlogs:\n  level: no\nvenue:\n  name: [a]\n"
    with pytest.raises(SettingsError) as raised:
        a_configuration(tmp_path, local=local, environment={"BOWLINE_NONSENSE": "x"})
    where = sorted(problem.where for problem in raised.value.problems)
    assert where == [
        "config/local.yaml:2",
        "config/local.yaml:3",
        "config/local.yaml:4",
        "config/local.yaml:6",
        "config/local.yaml:8",
        "environment BOWLINE_NONSENSE",
    ]


def test_the_environment_of_others_is_left_alone(tmp_path: Path) -> None:
    """Variables without our prefix are none of our business, secrets of other programs included."""
    origins = a_configuration(tmp_path, environment={"AWS_SECRET_KEY": "x", "BOW": "y", "PATH": "z"}).origins
    assert not [origin for origin in origins.values() if origin.startswith("environment")]


def test_directories_start_at_the_project_root(tmp_path: Path) -> None:
    """A relative path is relative to the project root, an absolute one is kept."""
    configuration = a_configuration(tmp_path, local="paths:\n  secrets_directory: /srv/keys\n")
    assert configuration.var_directory == tmp_path / "var"
    assert configuration.secrets_directory == Path("/srv/keys")


def test_settings_are_frozen(tmp_path: Path) -> None:
    """Nobody changes a limit while the mesh runs."""
    risk = a_configuration(tmp_path).settings.risk
    with pytest.raises(ValueError, match="frozen"):
        risk.position_pct = Decimal(25)  # type: ignore[misc]  # the very thing the type checker forbids


def test_every_key_has_a_variable(tmp_path: Path) -> None:
    """Each key can be set by BOWLINE_<SECTION>__<KEY>, with the value it already has."""
    lists = "mesh:\n  endpoints: [risk.control=tcp://10.0.0.2:5555]\n"
    lists += "feed:\n  books: [BTC/USDT]\n  others: [feed-2=binance SOL/USDT BNB/USDT]\n"
    lists += "strategies:\n  run: [strategy=trend_continuation 1h BTC/USDT]\n"
    shipped = a_configuration(tmp_path, local=lists)
    values = shipped.settings.model_dump()
    environment = {}
    for key in settings_keys():
        section, _, name = key.partition(".")
        value = values[section][name]
        environment[environment_name(key)] = ",".join(value) if isinstance(value, tuple) else str(value)
    again = load_configuration(root=tmp_path, environment=environment)
    assert again.settings == shipped.settings
    assert set(again.origins.values()) == {f"environment {name}" for name in environment}


@pytest.mark.parametrize("written", ["list", "flow", "variable"])
def test_endpoints_are_told_by_socket(tmp_path: Path, written: str) -> None:
    """Whether a file or a variable lists them, each socket named has its address, and no other has one."""
    entries = [
        "risk.control=tcp://10.0.0.2:5555",
        f"feed-2.market=ipc:///{'x' * 106}",
        "executor.tail=tcp://10.0.0.2:1",
    ]
    local = {
        "list": "mesh:\n  endpoints:\n" + "".join(f"    - {entry}\n" for entry in entries),
        "flow": f"mesh:\n  endpoints: [{', '.join(entries)}]\n",
        "variable": None,
    }[written]
    environment = {"BOWLINE_MESH__ENDPOINTS": ", ".join(entries)} if written == "variable" else {}
    configuration = a_configuration(tmp_path, local=local, environment=environment)
    assert configuration.settings.mesh.addresses == {
        "risk.control": "tcp://10.0.0.2:5555",
        "feed-2.market": f"ipc:///{'x' * 106}",
        "executor.tail": "tcp://10.0.0.2:1",
    }
