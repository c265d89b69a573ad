"""Each rule of the house sees a violation planted for it, and nothing in a tree without one."""

from dataclasses import dataclass

import pytest

from tests.house import calls, container, documents, imports, manners, modes, requirements, sizes
from tests.house.rules import RULES, Rule
from tests.house.tree import CHECKOUT, Tree


@dataclass(frozen=True)
class Plant:
    """A violation to plant: a new file, or other words in one that is there; and what the rule has to advise."""

    rule: Rule
    path: str
    text: str
    advice: str
    instead_of: str = ""

    def into(self, tree: Tree) -> Tree:
        """Return the tree with the violation in it."""
        before = tree.files.get(self.path, "")
        assert self.instead_of in before, f"{self.path} no longer says {self.instead_of}: choose another spot"
        return tree.planted(self.path, before.replace(self.instead_of, self.text, 1) if self.instead_of else self.text)


ROOM = "shared/risk/limits.py"
SHELL = "services/executor/shell.py"
CHECKER = "services/verify/checker/a.py"
PYPROJECT, MESH, DEV = "pyproject.toml", "requirements/mesh.txt", "requirements/dev.txt"
LONG = "value = 1\n"

PLANTS = (
    Plant(calls.banned_calls, SHELL, "import time\nnow = time.time()\n", "the wall clock decides nothing"),
    Plant(calls.banned_calls, SHELL, "from time import time as now\nclock = now\n", "the wall clock decides nothing"),
    Plant(calls.banned_calls, SHELL, "import datetime as d\nd.datetime.now()\n", "the wall clock decides nothing"),
    Plant(calls.banned_calls, SHELL, "from datetime import datetime\ndatetime.utcnow()\n", "the wall clock decides"),
    Plant(calls.banned_calls, SHELL, "from datetime import date\ndate.today()\n", "the wall clock decides nothing"),
    Plant(calls.banned_calls, "tests/test_wait.py", "import time\ntime.sleep(1)\n", "wait for the event itself"),
    Plant(calls.banned_calls, SHELL, "print('filled')\n", "log an event"),
    Plant(calls.banned_calls, SHELL, "eval('1')\n", "parse what is expected"),
    Plant(calls.banned_calls, SHELL, "exec('x = 1')\n", "chosen by name from a table"),
    Plant(calls.banned_calls, SHELL, "import os\nos._exit(1)\n", "finalisers must run"),
    Plant(calls.banned_calls, SHELL, "import os\nos.system('ls')\n", "list of arguments"),
    Plant(calls.banned_calls, SHELL, "import random\nrandom.shuffle([])\n", "random.Random(seed)"),
    Plant(calls.banned_calls, SHELL, "import yaml\nyaml.load('', Loader=None)\n", "yaml.safe_load"),
    Plant(calls.caught_too_widely, SHELL, "try:\n    a()\nexcept Exception:\n    b()\n", "name the error"),
    Plant(
        calls.caught_too_widely, SHELL, "try:\n    a()\nexcept (OSError, BaseException):\n    b()\n", "name the error"
    ),
    Plant(
        calls.caught_too_widely, "shared/mesh/service/ending.py", "try:\n    a()\nexcept:\n    b()\n", "name the error"
    ),
    Plant(
        calls.caught_too_widely,
        SHELL,
        "import builtins\ntry:\n    a()\nexcept builtins.Exception:\n    b()\n",
        "name the error",
    ),
    Plant(
        calls.caught_too_widely,
        SHELL,
        "from builtins import BaseException as E\ntry:\n    a()\nexcept E:\n    b()\n",
        "name the error",
    ),
    Plant(calls.caught_too_widely, SHELL, "with contextlib.suppress(Exception):\n    a()\n", "name the error"),
    Plant(calls.dangerous_imports, SHELL, "from pickle import loads\n", "use msgspec or JSON"),
    Plant(calls.false_asserted, SHELL, "assert False\n", "raise AssertionError"),
    Plant(calls.floats_on_money, "shared/trading/costs.py", "fee = float('1')\n", "stay with Decimal"),
    Plant(calls.floats_on_money, "shared/execution/core.py", "fee = float('1')\n", "stay with Decimal"),
    Plant(calls.floats_on_money, "services/flattener/core.py", "fee = float('1')\n", "stay with Decimal"),
    Plant(calls.floats_on_money, "services/sim_exchange/venue/fees.py", "fee = float('1')\n", "stay with Decimal"),
    Plant(calls.floats_on_money, "shared/risk/limits.py", "fees = list(map(float, texts))\n", "stay with Decimal"),
    Plant(calls.floats_on_money, SHELL, "from decimal import Decimal\nfee = Decimal(0.1)\n", "write Decimal('0.1')"),
    Plant(calls.floats_on_money, "proto/a.py", "import decimal as d\nfee = d.Decimal(-0.1)\n", "write Decimal('0.1')"),
    Plant(
        calls.floats_on_money,
        SHELL,
        "from decimal import Decimal as D\nfee = D.from_float(x)\n",
        "write Decimal('0.1')",
    ),
    Plant(calls.shell_strings, SHELL, "import subprocess\nsubprocess.run('ls', shell=True)\n", "list of arguments"),
    Plant(
        calls.times_without_zone,
        SHELL,
        "from datetime import datetime\nthen = datetime.fromtimestamp(0)\n",
        "the zone of this machine",
    ),
    Plant(
        calls.banned_calls,
        SHELL,
        "from datetime import datetime\nthen = datetime.utcfromtimestamp(0)\n",
        "a time without a zone",
    ),
    Plant(container.image_can_be_built, ".dockerignore", "", "let it through, !config", "!config\n"),
    Plant(container.image_can_be_built, ".dockerignore", "", "`config/local.yaml` is private", "config/local.yaml\n"),
    Plant(container.image_can_be_built, "Dockerfile", "COPY models models\nUSER", "`models` is not there", "USER"),
    Plant(documents.commands_exist, "docs/page.md", "Run `make money`.\n", "`make` alone lists the verbs"),
    Plant(documents.commands_exist, "docs/page.md", "```sh\nbowline dance\n```\n", "`bowline` alone lists the verbs"),
    Plant(documents.links_resolve, "docs/page.md", "[there](nowhere.md)\n", "leads nowhere"),
    Plant(documents.links_resolve, "docs/page.md", "[there](../README.md#no-such-heading)\n", "leads nowhere"),
    Plant(documents.links_resolve, "docs/page.md", '<img src="pictures/none.svg">\n', "leads nowhere"),
    Plant(documents.no_home_paths, "docs/page.md", "See /ho" + "me/alice/notes.\n", "use a relative path"),
    Plant(imports.checker_stands_alone, CHECKER, "from proto.orders import SendMarked\n", "share nothing"),
    Plant(imports.checker_stands_alone, CHECKER, "import shared.trading.order_life\n", "share nothing"),
    Plant(imports.checker_stands_alone, CHECKER, "from services.verify import command\n", "share nothing"),
    Plant(imports.checker_stands_alone, "tests/checker/a.py", "from proto import codec\n", "share nothing"),
    Plant(imports.checker_stands_alone, "tests/checker/a.py", "import tests.proto.examples\n", "share nothing"),
    Plant(
        imports.no_cycles, "tests/house/tree.py", "import tests.house.names\n", "a module below them", "import ast\n"
    ),
    Plant(imports.pure_rooms, ROOM, "import socket\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "from time import monotonic\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "from concurrent import futures\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "import logging\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "rules = open('rules').read()\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "import numpy as np\nnp.random.rand()\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "from numpy.random import default_rng\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "import numpy as np\nnp.fromfile('a')\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "from numpy import memmap\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "import numpy\nnumpy.loadtxt('a')\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "number = hash('a') % 7\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "import uuid\n", "the shell does it"),
    Plant(imports.pure_rooms, ROOM, "from ..mesh import clock\n", "return an effect"),
    Plant(imports.pure_rooms, "shared/brand_new_room.py", "import os\n", "the shell does it"),
    Plant(imports.pure_rooms, "proto/orders.py", "import random\n", "the shell does it"),
    Plant(imports.pure_rooms, "shared/execution/core.py", "import zmq\n", "the shell does it"),
    Plant(imports.pure_rooms, "shared/execution/core/orders.py", "import asyncio\n", "the shell does it"),
    Plant(imports.pure_rooms, "shared/execution/core.py", "from shared.mesh import clock\n", "return an effect"),
    Plant(imports.pure_rooms, "services/sim_exchange/venue/book.py", "import time\n", "the shell does it"),
    Plant(imports.pure_rooms, "services/sim_exchange/market/path.py", "import pathlib\n", "the shell does it"),
    Plant(
        imports.pure_rooms,
        "services/sim_exchange/market/path.py",
        "from numpy.random import Philox\n",
        "the shell does it",
    ),
    Plant(imports.pure_rooms, "services/sim_exchange/venue/book.py", "import numpy.random\n", "the shell does it"),
    Plant(imports.tests_not_imported, ROOM, "from tests.house import tree\n", "move what both need"),
    Plant(manners.imports_at_the_top, SHELL, "def run() -> None:\n    import json\n", "move it to the top"),
    Plant(manners.modules_documented, SHELL, "value = 1\n", "say what it is"),
    Plant(manners.modules_named_for_what_they_own, "shared/market/utils.py", "", "the noun it owns"),
    Plant(manners.modules_named_for_what_they_own, "services/base_service.py", "", "the noun it owns"),
    Plant(manners.no_mocks, "tests/test_a.py", "from unittest.mock import Mock\n", "through the constructor"),
    Plant(
        manners.no_mocks,
        "tests/test_a.py",
        "import shared.mesh as mesh\ndef test_a(monkeypatch):\n    monkeypatch.setattr(mesh, 'clock', 0)\n",
        "patches our own code",
    ),
    Plant(manners.no_mocks, "tests/test_a.py", "m.setattr('services.cli.main', 0)\n", "patches our own code"),
    Plant(modes.no_mode_flags, SHELL, "def run(is_live: bool) -> None: ...\n", "wire another object in"),
    Plant(modes.no_mode_flags, SHELL, "ready = settings.mode == 'paper'\n", "wire another object in"),
    Plant(modes.no_mode_flags, SHELL, "ready = mode is Mode.LIVE\n", "wire another object in"),
    Plant(modes.no_mode_flags, SHELL, "match self.mode:\n    case _: ...\n", "wire another object in"),
    *(
        Plant(modes.no_mode_flags, SHELL, text, "wire another object in")
        for text in (
            "if live:\n    send()\n",
            "if settings.testnet and ready:\n    send()\n",
            "if environment == 'live':\n    send()\n",
            "if environment in ('paper', 'demo'):\n    send()\n",
            "if kind is Environment.SANDBOX:\n    send()\n",
            "while not self.simulation:\n    send()\n",
            "url = a if paper_trading else b\n",
            "urls = [url for url in known if use_testnet]\n",
            "assert not is_backtest()\n",
            "match environment:\n    case 'dry_run': ...\n",
            "def run(live: bool) -> None: ...\n",
            "def run(*, paper_trading=False) -> None: ...\n",
            "class Settings:\n    sandbox: bool\n",
            "exchange = connect(demo=True)\n",
        )
    ),
    Plant(manners.nothing_left_over, SHELL, "# TO" + "DO: later\n", "open an issue"),
    Plant(manners.nothing_left_over, "docs/page.md", "FIX" + "ME\n", "open an issue"),
    Plant(manners.suppressions_reasoned, SHELL, "import zmq  # no" + "qa\n", "lacks a code or a reason"),
    Plant(manners.suppressions_reasoned, SHELL, "import zmq  # no" + "qa: F401\n", "lacks a code or a reason"),
    Plant(manners.suppressions_reasoned, SHELL, "a = b  # type: " + "ignore\n", "lacks a code or a reason"),
    Plant(manners.suppressions_reasoned, SHELL, "a = b  # type: " + "ignore[misc]\n", "lacks a code or a reason"),
    Plant(manners.tests_specified, "tests/test_a.py", "def test_a() -> None: ...\n", "one sentence of specification"),
    Plant(requirements.dependencies_reasoned, "docs/dependencies.md", "", "has no reason"),
    Plant(requirements.dependencies_reasoned, PYPROJECT, '"msgpack",\n  "left-pad",', "has no reason", '"msgpack",'),
    Plant(requirements.dependencies_reasoned, PYPROJECT, "", "remove its line", '"msgpack",'),
    Plant(requirements.exclusions_reasoned, PYPROJECT, '"E501",\n  "COM812"', "without a reason", '"COM812"'),
    Plant(requirements.imports_declared, SHELL, "import attr\n", "add `attr` to pyproject.toml"),
    Plant(requirements.imports_declared, SHELL, "import pandas\n", "add `pandas` to pyproject.toml"),
    Plant(requirements.imports_declared, SHELL, "from hypothesis import given\n", "add `hypothesis`"),
    Plant(requirements.imports_declared, "tests/test_a.py", "import rich\n", "add `rich`"),
    Plant(requirements.locks_in_step, PYPROJECT, '"msgpack",\n  "left-pad",', "make lock", '"msgpack",'),
    Plant(requirements.locks_in_step, MESH, "ccxt==4.5.91", "must stay at 4.5.90", "ccxt==4.5.90"),
    Plant(requirements.locks_in_step, MESH, "msgpack==0.0.1", "make lock", "msgpack==1."),
    Plant(requirements.locks_only_pin, MESH, "--index-url https://example.org\n", "make lock", ""),
    Plant(requirements.locks_only_pin, DEV, "mypy @ file:///mypy.whl \\\n", "make lock", ""),
    Plant(requirements.locks_only_pin, DEV, "mypy==2.0\n", "make lock", ""),
    Plant(sizes.sizes_within_limits, ROOM, LONG * 401, "split it"),
    Plant(sizes.sizes_within_limits, ROOM, "def f() -> None:\n" + "    value = 1\n" * 60, "split it"),
    Plant(sizes.sizes_within_limits, ROOM, "class A:\n" + "    value = 1\n" * 250, "split it"),
    Plant(sizes.sizes_within_limits, ROOM, "class A:\n" + "    def f(self) -> None: ...\n" * 26, "split it"),
    Plant(sizes.sizes_within_limits, sizes.EXCEPTIONS, '"shared/gone.py lines" = 500\n', "remove its line"),
    Plant(sizes.sizes_within_limits, sizes.EXCEPTIONS, '"services/cli.py lines" = 450\n', "remove its line"),
)

ALLOWED = (
    (
        container.image_can_be_built,
        ".dockerignore",
        "*\n!requirements\n!proto\n!shared\n!services\n!config/bowline.yaml\n!config/demo.yaml\n",
    ),
    (requirements.imports_declared, SHELL, "import yaml, zmq\nfrom pydantic_core import core_schema\n"),
    (requirements.imports_declared, "services/lab/report.py", "import pandas\n"),
    (calls.banned_calls, SHELL, "import random\ngenerator = random.Random(7)\n"),
    (calls.caught_too_widely, "shared/mesh/service/ending.py", "try:\n    a()\nexcept Exception:\n    b()\n"),
    (calls.banned_calls, "shared/mesh/clock.py", "import time\nnow = time.time_ns()\n"),
    (calls.floats_on_money, "shared/market/bars.py", "price = float('1')\n"),
    (imports.pure_rooms, ROOM, "from decimal import Decimal\nimport msgspec\nfrom proto import orders\n"),
    (imports.pure_rooms, ROOM, "from numpy.random import Generator\ndef drawn(draws: Generator) -> float: ...\n"),
    (imports.pure_rooms, "services/sim_exchange/market/draws.py", "from numpy.random import Philox\n"),
    (imports.pure_rooms, "services/executor/shell.py", "import asyncio\nfrom shared.mesh import clock\n"),
    (modes.no_mode_flags, SHELL, "private = path.stat().st_mode & 0o777 == 0o600 and mode != 0o700\n"),
    (modes.no_mode_flags, SHELL, "if alive and live_orders and paper_size > 0:\n    cancel(live=live_orders)\n"),
    (modes.no_mode_flags, SHELL, "TITLES = {'demo': 'a week in five minutes'}\ndef run(live: int) -> None: ...\n"),
    (calls.floats_on_money, "shared/risk/limits.py", "if isinstance(value, float): refuse(Decimal('0.1'))\n"),
    (
        calls.floats_on_money,
        "shared/trading/costs.py",
        "from typing import TypeVar\nNumber = TypeVar('Number', float, Decimal)\n",
    ),
    (calls.times_without_zone, SHELL, "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, tz=UTC)\n"),
    (manners.suppressions_reasoned, SHELL, "import zmq  # no" + "qa: F401  # imported for its side effect\n"),
)


# The modules that plants lean on. The others would be searched again for each plant, and add nothing.
SOIL = frozenset(
    {"proto/__init__.py", "services/cli.py", "shared/__init__.py", "tests/house/names.py", "tests/house/tree.py"}
)


@pytest.fixture(scope="module")
def soil() -> Tree:
    """Return what plants grow in: this checkout, with few of its modules."""
    house = Tree.read(CHECKOUT)
    return Tree({path: text for path, text in house.files.items() if path in SOIL or not path.endswith(".py")})


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.rule.__name__}-{PLANTS.index(plant)}")
def test_rule_sees_what_is_planted(plant: Plant, soil: Tree) -> None:
    """A planted violation is seen by its rule, at its place, with advice on what to do instead."""
    assert list(plant.rule(soil)) == []
    seen = list(plant.rule(plant.into(soil)))
    assert any(plant.advice in violation.advice for violation in seen), seen


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_rule_lets_pass_what_is_allowed(rule: Rule, path: str, text: str, soil: Tree) -> None:
    """What the rule does not forbid passes, however near it comes."""
    assert list(rule(soil.planted(path, text))) == []


def test_exception_for_a_size_only_shrinks(soil: Tree) -> None:
    """A listed size that grew fails, one that shrank has to be lowered, and an exact one passes."""
    large = soil.planted(ROOM, LONG * 500)
    verdicts = {
        frozen: [
            violation.advice
            for violation in sizes.sizes_within_limits(large.planted(sizes.EXCEPTIONS, f'"{ROOM} lines" = {frozen}'))
        ]
        for frozen in (499, 500, 501)
    }
    assert "grew from 499 to 500" in verdicts[499][0]
    assert verdicts[500] == []
    assert "lower its line" in verdicts[501][0]


def test_every_rule_has_a_plant() -> None:
    """No rule is believed before it was seen to bite."""
    assert {plant.rule for plant in PLANTS} == set(RULES)
