"""What a process loads when it starts: our own packages under their names, and of others what its row lists."""

import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.requirements import LOCKS, canonical, pins
from tests.house.tree import CHECKOUT, OURS, Tree

PYDANTIC = frozenset({"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"})
SETTINGS = PYDANTIC | {"yaml"}
LOGS = PYDANTIC | {"structlog"}
BUS = frozenset({"msgspec", "zmq"})

HTTP = frozenset(
    {"aiohappyeyeballs", "aiohttp", "aiosignal", "attr", "frozenlist", "idna", "multidict", "propcache", "yarl"}
)
CCXT = frozenset(
    {
        "_cffi_backend",
        "aiohttp_fast_zlib",
        "ccxt",
        "certifi",
        "charset_normalizer",
        "cryptography",
        "orjson",
        "requests",
        "urllib3",
        "zlib_ng",
    }
)
REDIS = frozenset({"cryptography", "hiredis", "opentelemetry", "redis"})
if sys.version_info < (3, 11, 3):
    REDIS |= {"async_timeout"}  # what its asyncio does by itself from there on

# The process, what its entry point runs before anything else, and every package of others it may load: all of them.
# A new process adds its row.
PROCESSES = (
    ("command line", "from services import cli", frozenset[str]()),
    ("bowline version", "from services import cli; cli.main(['version'])", frozenset[str]()),
    ("bowline config", "from services import cli; cli.main(['config', 'check'])", SETTINGS | BUS | {"numpy", "talib"}),
    (
        "bowline sim-exchange",
        "from services.sim_exchange import command",
        SETTINGS | LOGS | BUS | HTTP | {"numpy", "uvloop"},
    ),
    ("bowline verify", "from services import cli; cli.main(['verify'])", SETTINGS | {"msgpack", "msgspec"}),
    ("the checker", "from services.verify.checker import checking", frozenset({"msgpack"})),
    ("bowline status", "from services import cli; cli.main(['status'])", SETTINGS | BUS),
    ("bowline watch", "from services import cli; cli.main(['watch', '--once'])", SETTINGS | BUS),
    ("overseer", "import services.overseer.__main__", SETTINGS | LOGS | BUS | {"uvloop"}),
    (
        "executor",
        "import services.executor.__main__; import ccxt.pro",
        SETTINGS | LOGS | BUS | HTTP | CCXT | {"uvloop"},
    ),
    (
        "flattener",
        "import services.flattener.__main__; import ccxt.pro",
        SETTINGS | LOGS | BUS | HTTP | CCXT | {"uvloop"},
    ),
    (
        "metrics",
        "import services.metrics.__main__",
        SETTINGS | LOGS | BUS | HTTP | REDIS | {"prometheus_client", "uvloop"},
    ),
    ("redis", "import services.redis_server.__main__", SETTINGS | {"msgspec"}),
    ("set-up", "from services import bootstrap", frozenset[str]()),
    (
        "what every service starts with: settings, logs, messages",
        """
import os, pathlib
from proto import codec, topics
from shared.mesh import logs, settings
chosen = settings.load_configuration(root=pathlib.Path.cwd(), environment={}).settings.logs
for dress in ("pretty", "json"):
    logs.configure(stream=sys.stderr, level=chosen.level, line_format=dress, role="test")
    logs.structlog.get_logger().info("started")
""",
        SETTINGS | LOGS | {"msgspec"},
    ),
    ("the shell of every service", "from shared.mesh import service", SETTINGS | LOGS | BUS | {"uvloop"}),
    ("overseer", "from services.overseer import __main__", SETTINGS | LOGS | BUS | {"uvloop"}),
    ("risk", "from services.risk_watchdog import __main__", SETTINGS | LOGS | BUS | {"uvloop"}),
    ("strategy", "from services.strategy import __main__", SETTINGS | LOGS | BUS | {"numpy", "talib", "uvloop"}),
    ("feed-handler", "from services.feed_handler import __main__", SETTINGS | LOGS | BUS | HTTP | CCXT | {"uvloop"}),
)

# A process of the mesh runs where nothing but requirements/mesh.txt is installed, as in the container. Packages of
# development are hidden, or those would be counted that a library takes up because they happen to be there (rich).
LISTING = """
import sys
known = set(sys.modules)
sys.modules.update(dict.fromkeys(sys.argv[1].split(), None))
{start}
listed = {{name.split(".")[0] for name, module in sys.modules.items() if module is not None and name not in known}}
sys.stdout.write("\\nloaded " + " ".join(sorted(listed)))
"""


@pytest.fixture(scope="module")
def installed() -> dict[str, set[str]]:
    """Return every package that can be imported here, with the distributions it comes from."""
    return {name: set(map(canonical, sources)) for name, sources in importlib.metadata.packages_distributions().items()}


@pytest.mark.parametrize(("process", "start", "allowed"), PROCESSES, ids=[row[0] for row in PROCESSES])
def test_process_loads_the_packages_of_its_row(
    process: str, start: str, allowed: frozenset[str], installed: dict[str, set[str]]
) -> None:
    """A fresh interpreter that starts as the process does holds the packages of its row, and no others."""
    mesh = {*pins(Tree.read(CHECKOUT), LOCKS[0]), "bowline"}
    hidden = " ".join(name for name, sources in installed.items() if not sources & mesh and name.isidentifier())
    command = [sys.executable, "-c", LISTING.format(start=start), hidden]
    answer = subprocess.run(command, cwd=CHECKOUT, capture_output=True, encoding="utf-8", check=True)
    names = answer.stdout.rpartition("\nloaded ")[2].split()
    # What a package was compiled into by mypyc stands beside it under a name made of a hash.
    loaded = {name for name in names if not name.endswith("__mypyc")} & installed.keys() - {*OURS}
    assert loaded == allowed, (
        f"{process} loads {sorted(loaded - allowed)} beyond its row, and {sorted(allowed - loaded)} not at all: "
        "import what is heavy in the process that uses it, and keep the row exact"
    )


@pytest.mark.parametrize("package", OURS)
def test_package_is_ours(package: str) -> None:
    """The names proto, shared and services stand for this checkout, and not for another distribution's."""
    assert Path(str(importlib.import_module(package).__file__)).parent == CHECKOUT / package
