"""A corpus of bad configurations: each is refused, by name of key or file, without repeating what was written."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from shared.mesh.settings import SettingsError, load_configuration
from shared.mesh.settings.layers import environment_name
from shared.mesh.settings.model import settings_keys
from shared.mesh.settings.profiles import PROFILES
from shared.mesh.settings.values import Number, plain
from tests.shared.mesh.settings.projects import a_project

CANARY = "CANARYcanaryCANARY"
NUMBERS = {key: part for key, value in settings_keys().items() for part in value.metadata if isinstance(part, Number)}


@dataclass(frozen=True)
class Bad:
    """A configuration, and the words that the refusal must hold."""

    name: str
    words: tuple[str, ...]
    local: str | bytes = ""
    shipped: str | None = None
    environment: dict[str, str] = field(default_factory=dict)


def _set(key: str, value: str) -> str:
    section, _, name = key.partition(".")
    return f"{section}:\n  {name}: {value}\n"


def _misspelt() -> Iterator[Bad]:
    for key in settings_keys():
        section, _, name = key.partition(".")
        slip = f"{section}.{name[:2]}{name[3:]}" if len(name) > 4 else f"{section}.{name}x"
        words = ("config/local.yaml:2", slip, f"did you mean {name}?")
        yield Bad(f"misspelt-{key}", words, local=_set(slip, CANARY))
        variable = environment_name(slip)
        hint = f"did you mean {environment_name(key)}?"
        yield Bad(f"misspelt-{variable}", (variable, hint), environment={variable: CANARY})


def _wrong_numbers() -> Iterator[Bad]:
    kinds = {"true": "true or false", "'5'": "text", "no": "text", CANARY: "text", "[1, 2]": "a list", "": "no value"}
    for key, number in NUMBERS.items():
        for value, words in kinds.items():
            yield Bad(f"{key}={value}", ("config/local.yaml:2", key, words), local=_set(key, value))
        below = ("0", plain(number.floor / 10)) if number.floor else ()
        for value in ("-1", *below, plain(number.ceiling + 1), "99999999999"):
            yield Bad(f"{key}={value}", ("config/local.yaml:2", key), local=_set(key, value))
        yield Bad(f"{key}=-1-variable", (environment_name(key),), environment={environment_name(key): "-1"})
        yield Bad(f"{key}=text", (environment_name(key), "text"), environment={environment_name(key): CANARY})


def _wrongly_written_numbers() -> Iterator[Bad]:
    finite, written = "not a finite number", "no plainly written number"
    spellings = {
        **dict.fromkeys((".nan", "NaN", "-.inf", "Infinity"), finite),
        **dict.fromkeys(("1e1", "1_0", "010", "5%", ".5", "5.", "1,5", "9" * 25), written),
        "~": "has no value",
        "{}": "holds nothing",
        "[[1]]": "a single value",
        "0x1F": "text",
        "1:30": "text",
    }
    for key in ("risk.position_pct", "risk.positions_max", "risk.order_quote_max"):
        for value, words in spellings.items():
            yield Bad(f"{key}={value}", ("config/local.yaml:2", key, words), local=_set(key, value))
    yield Bad("half-a-position", ("risk.positions_max", "not a whole number"), local=_set("risk.positions_max", "2.5"))


def _fractions() -> Iterator[Bad]:
    for profile, limits in PROFILES.items():
        for key, value in limits.items():
            if key.endswith("_pct"):
                fraction = plain(Decimal(str(value)) / 100)
                words = (f"risk.{key}", "it looks like a fraction", f"write {plain(Decimal(str(value)))}")
                local = f"risk:\n  profile: {profile}\n  {key}: {fraction}\n"
                yield Bad(f"{key}={fraction}", words, local=local)


def _wrong_texts() -> Iterator[Bad]:
    texts = [key for key in settings_keys() if key not in NUMBERS and key != "venue.symbols"]
    for key in texts:
        for value in ("true", "5", "0.5", "[a]", "", f"'{CANARY} {CANARY}\\ud'" * 9, "''"):
            yield Bad(f"{key}={value[:9]}", ("config/local.yaml:2", key), local=_set(key, value))
    for key in ("risk.profile", "logs.level", "logs.format", "venue.market"):
        yield Bad(f"{key}=no", (key, "must be"), local=_set(key, "no"))
    for port in ("0", "65536", "99999"):
        address = f"http://127.0.0.1:{port}/"
        yield Bad(f"webhook-{port}", ("alerts.webhook", "a port of 1 to 65535"), local=_set("alerts.webhook", address))
    yield Bad("near-word", ("logs.level", "did you mean info?"), local=_set("logs.level", "inof"))
    yield Bad("perpetual", ("venue.market", "must be spot"), local=_set("venue.market", "perpetual"))
    yield Bad("tilde", ("paths.var_directory", "no ~"), local=_set("paths.var_directory", "~/var"))


def _symbols() -> Iterator[Bad]:
    for value in ("[]", "BTC/USDT", "[BTCUSDT]", "[BTC-USDT]", "['BTC/USDT:USDT']", "[5]", "[true]", f"[{CANARY}]"):
        yield Bad(f"symbols={value}", ("config/local.yaml:2", "venue.symbols"), local=_set("venue.symbols", value))
    twice = "BTC/USDT is listed twice"
    yield Bad("symbols-twice", ("venue.symbols", twice), local=_set("venue.symbols", "[BTC/USDT, btc/usdt]"))
    yield Bad("symbols-quote", ("venue.symbols", "not quoted in USDT"), local=_set("venue.symbols", "[BTC/EUR]"))
    many = ", ".join(f"A{number}/USDT" for number in range(101))
    yield Bad("symbols-many", ("venue.symbols", "1 to 100"), local=_set("venue.symbols", f"[{many}]"))
    yield Bad("symbols-none", ("BOWLINE_VENUE__SYMBOLS",), environment={"BOWLINE_VENUE__SYMBOLS": ""})


def _endpoints() -> Iterator[Bad]:
    good = "risk.control=tcp://10.0.0.2:5555"
    faults = {
        good: "must be a list",
        "[risk.control]": "entry 1 is not written",
        "[tcp://10.0.0.2:5555]": "entry 1 is not written",
        "[5]": "entry 1 is not written",
        f"[{CANARY}.control=tcp://10.0.0.2:5555]": "entry 1 names no instance",
        f"[risk-{CANARY}.control=tcp://10.0.0.2:5555]": "entry 1 names no instance",
        f"[{good}, risk.{CANARY}=tcp://10.0.0.2:5556]": "entry 2 names no socket",
        "[risk.inside=tcp://10.0.0.2:5555]": "entry 1 names no socket",
        "[risk.any=tcp://10.0.0.2:5555]": "entry 1 names no socket",
        "[risk.control=10.0.0.2:5555]": "entry 1 has no address that can be used",
        "[risk.control=tcp://*:5555]": "no address that can be used",
        "[risk.control=tcp://10.0.0.2]": "no address that can be used",
        "[risk.control=tcp://10.0.0.2:0]": "no address that can be used",
        "[risk.control=tcp://10.0.0.2:65536]": "a port above 65535",
        "[risk.control=tcp://10.0.0.256:5555]": "no IPv4 address",
        "[risk.control=tcp://0.0.0.0:5555]": "that no host has",
        f"[risk.control=tcp://{CANARY}:5555]": "no address that can be used",
        f"[risk.control=udp://{CANARY}:5555]": "no address that can be used",
        "[risk.control=ipc://relative]": "no address that can be used",
        "['risk.control=ipc:///two words']": "no address that can be used",
        f"[risk.control=ipc:///{'x' * 107}]": "a path of more than 107 bytes",
        f"[{good}, risk.control=tcp://10.0.0.2:5556]": "entry 2 has the socket of entry 1",
        f"[{good}, feed.tail=tcp://10.0.0.3:1, risk.tail=tcp://10.0.0.2:5555]": "entry 3 has the address of entry 1",
    }
    for number, (value, words) in enumerate(faults.items()):
        expected = ("config/local.yaml:2", "mesh.endpoints", words)
        yield Bad(f"endpoints-{number}", expected, local=_set("mesh.endpoints", value))
    variable = "BOWLINE_MESH__ENDPOINTS"
    yield Bad("endpoints-variable", (variable, "entry 2"), environment={variable: f"{good},{CANARY}"})


def _files() -> Iterator[Bad]:
    texts: dict[str, tuple[str | bytes, str]] = {
        "list": (f"- {CANARY}\n", "not a mapping"),
        "word": (CANARY, "not a mapping"),
        "tab": (f"risk:\n\tprofile: {CANARY}\n", ":2: a tab"),
        "latin-1": (f"# {CANARY}\nvenue:\n  name: \xe9\n".encode("latin-1"), ":3: is not UTF-8"),
        "utf-16": (_set("risk.profile", CANARY).encode("utf-16"), "is not UTF-8"),
        "control": (f"venue:\n  name: {CANARY}\x01\n", "does not allow"),
        "nul": (b"venue:\n  name: \x00\n", "does not allow"),
        "unclosed": (f"venue:\n  name: '{CANARY}\n", "not valid YAML"),
        "two-colons": (f"venue: name: {CANARY}\n", ":1: not valid YAML"),
        "twice": ("risk:\n  position_pct: 5\n  position_pct: 6\n", "risk.position_pct: said twice (first on line 2)"),
        "section-twice": ("risk:\n  profile: small\nrisk:\n  profile: standard\n", ":3: risk: said twice"),
        "anchor": ("a: &x [1]\n", ":1: anchors"),
        "alias-bomb": ("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchors"),
        "tag": ("venue:\n  name: !!python/object:os.system x\n", ":2: tags"),
        "merge": ("<<: {a: 1}\n", "not a name"),
        "documents": ("risk:\n  profile: small\n---\nrisk:\n  profile: small\n", "a second document"),
        "deep": ("[" * 50_000, "nested deeper"),
        "deep-closed": ("a: " + "[" * 25_000 + "]" * 25_000, "nested deeper"),
        "oversize": ("#" + CANARY * 5000, "is larger than"),
        "dotted": ("risk.position_pct: 5\n", "write `risk:` and below it, indented, `position_pct:`"),
        "list-key": ("? [a, b]\n: 5\n", "not a name"),
        "unknown-section": (f"rsik:\n  profile: {CANARY}\n", "rsik.profile: unknown section, did you mean risk?"),
        "far-section": (
            f"telegram:\n  chat: {CANARY}\n",
            "unknown section; there are paths, logs, mesh, venue, feed, sim_exchange, executor, metrics, redis, alert",
        ),
        "section-as-value": (f"risk: {CANARY}\n", "risk: is a section"),
        "section-nothing": ("risk:\n", "risk: has no value"),
        "elsewhere": ("logs:\n  symbols: [BTC/USDT]\n", "logs.symbols: unknown key, did you mean venue.symbols?"),
        "nested": (f"risk:\n  position_pct:\n    deeper: {CANARY}\n", ":3: risk.position_pct.deeper: unknown key"),
        "capitals": ("risk:\n  Position_Pct: 5\n", "unknown key"),
    }
    for name, (local, words) in texts.items():
        yield Bad(f"file-{name}", ("config/local.yaml", words), local=local)
    for name, shipped in {"empty": "", "comments": "# nothing\n", "braces": "{}\n", "null": "~\n"}.items():
        yield Bad(f"shipped-{name}", ("config/bowline.yaml",), shipped=shipped)


def _secrets() -> Iterator[Bad]:
    for name in ("api_key", "api_secret", "apikey", "secret", "password", "passphrase", "token", "private_key"):
        words = ("var/secrets/", f"venue.{name}", "config/local.yaml:2")
        yield Bad(f"secret-{name}", words, local=_set(f"venue.{name}", CANARY))
        for variable in (f"BOWLINE_VENUE__{name.upper()}", f"BOWLINE_{name.upper()}"):
            yield Bad(variable, (variable, "var/secrets/"), environment={variable: CANARY})


def _variables() -> Iterator[Bad]:
    for name in ("BOWLINE_", "BOWLINE_RISK", "BOWLINE_RISK_POSITION_PCT", "bowline_risk__position_pct", "Bowline_x"):
        yield Bad(f"variable-{name}", (f"environment {name}",), environment={name: CANARY})
    yield Bad("variable-strange", ("BOWLINE_",), environment={f"BOWLINE_\n{CANARY}": "x"})
    yield Bad("variable-long", ("BOWLINE_VENUE__NAME",), environment={"BOWLINE_VENUE__NAME": CANARY * 1000})


def _contradictions() -> Iterator[Bad]:
    pairs = {
        "risk_per_trade_pct": ("position_pct", "4", "3"),
        "position_pct": ("exposure_pct", "20", "15"),
        "order_pct": ("position_pct", "9", "8"),
        "order_quote_max": ("position_quote_max", "600", "599"),
        "daily_loss_breaker_pct": ("daily_loss_kill_pct", "6", "5"),
        "daily_loss_kill_pct": ("drawdown_kill_pct", "16", "15"),
        "exposure_pct": ("reserve_cash_pct", "85", "16"),
    }
    for key, (other, value, limit) in pairs.items():
        local = f"risk:\n  {key}: {value}\n  {other}: {limit}\n"
        yield Bad(
            f"{key}-against-{other}", (f"config/local.yaml:2: risk.{key}", f"risk.{other} ({limit})"), local=local
        )


CORPUS = [
    *_misspelt(),
    *_wrong_numbers(),
    *_wrongly_written_numbers(),
    *_fractions(),
    *_wrong_texts(),
    *_symbols(),
    *_endpoints(),
    *_files(),
    *_secrets(),
    *_variables(),
    *_contradictions(),
]


def test_the_corpus_is_broad() -> None:
    """The fault catalogue asks for at least 200 bad configurations."""
    assert len(CORPUS) >= 200


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project root whose two files every test of the corpus writes anew: a directory each would be slow."""
    return a_project(tmp_path_factory.mktemp("project"))


@pytest.mark.parametrize("bad", CORPUS, ids=[bad.name for bad in CORPUS])
def test_a_bad_configuration_is_refused(bad: Bad, root: Path) -> None:
    """The refusal names file or variable, key and reason, and repeats no text that was written."""
    (root / "config/bowline.yaml").write_text("logs: {level: info}\n" if bad.shipped is None else bad.shipped)
    (root / "config/local.yaml").write_bytes(bad.local.encode() if isinstance(bad.local, str) else bad.local)
    with pytest.raises(SettingsError) as raised:
        load_configuration(root=root, environment=bad.environment)
    text = str(raised.value)
    assert [words for words in bad.words if words not in text] == []
    assert CANARY not in text
    assert all(problem.text and problem.where != "default" for problem in raised.value.problems)
    assert all(character.isprintable() for problem in raised.value.problems for character in str(problem))


def test_a_directory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """A directory called local.yaml is named as what it is."""
    (a_project(tmp_path) / "config/local.yaml").mkdir()
    with pytest.raises(SettingsError, match=r"config/local\.yaml: is a directory"):
        load_configuration(root=tmp_path, environment={})


def test_a_missing_shipped_file_is_refused(tmp_path: Path) -> None:
    """Without config/bowline.yaml this is no project, and the message says what to do."""
    with pytest.raises(SettingsError, match=r"config/bowline\.yaml: is missing: restore"):
        load_configuration(root=tmp_path, environment={})


@pytest.fixture
def closed_project(tmp_path: Path) -> Iterator[Path]:
    """Return a project whose config/ cannot be entered; root enters everything, so root becomes somebody else."""
    config = a_project(tmp_path) / "config"
    user = os.geteuid()
    config.chmod(0)
    os.seteuid(user or 65534)
    yield tmp_path
    os.seteuid(user)
    config.chmod(0o700)


def test_a_folder_that_cannot_be_entered_is_a_problem(closed_project: Path) -> None:
    """When config/ is closed to the user, both files are named as unreadable, and there is no traceback."""
    with pytest.raises(SettingsError) as raised:
        load_configuration(root=closed_project, environment={})
    for name in ("config/bowline.yaml", "config/local.yaml"):
        assert f"{name}: cannot be read (Permission denied)" in str(raised.value)


def test_a_root_no_path_can_name_is_a_problem(tmp_path: Path) -> None:
    """A root too long for the file system is told like every file that cannot be read."""
    with pytest.raises(SettingsError, match="cannot be read"):
        load_configuration(root=tmp_path / ("x" * 300), environment={})


def test_a_dangling_link_is_refused(tmp_path: Path) -> None:
    """A local.yaml that links to nothing is a mistake, and no reason to trade on without it."""
    (a_project(tmp_path) / "config/local.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SettingsError, match=r"config/local\.yaml: cannot be read"):
        load_configuration(root=tmp_path, environment={})
