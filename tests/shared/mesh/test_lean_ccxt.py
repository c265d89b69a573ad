"""ccxt without the exchanges that nobody here trades on: what we use is as ccxt has it, and nothing else is loaded."""

import json
import subprocess
import sys

from services.feed_handler.venues.catalog import VENUES as READ
from shared.mesh.gateway.venues.catalog import VENUES as TRADED
from shared.mesh.lean_ccxt import USED
from tests.house.tree import CHECKOUT

LOOK = """
import importlib, json, sys
from shared.mesh.lean_ccxt import ccxt
lean = {
    "loaded": sorted(
        name for name, module in sys.modules.items()
        if name.rpartition(".")[0] in {"ccxt", "ccxt.async_support", "ccxt.pro"}
        and getattr(module, "__file__", None) and not hasattr(module, "__path__")
    ),
    "left out": [ccxt.kraken, ccxt.pro.kraken],
    "names": [sorted(set(vars(one)) - {"__builtins__"}) for one in (ccxt, ccxt.async_support, ccxt.pro)],
    "bases": [one.__module__ for one in ccxt.pro.binanceusdm.__mro__],
}
print(json.dumps(lean))
"""
WHOLE = """
import json, sys
import ccxt.pro
names = [sorted(set(vars(one)) - {"__builtins__"}) for one in (ccxt, ccxt.async_support, ccxt.pro)]
print(json.dumps({"names": names, "bases": [one.__module__ for one in ccxt.pro.binanceusdm.__mro__]}))
"""


def printed_by(program: str) -> dict[str, list[object]]:
    """Run a program in a process of its own, which has imported nothing, and return what it says."""
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, check=True)
    said: dict[str, list[object]] = json.loads(done.stdout)
    return said


def test_only_what_is_used_is_loaded() -> None:
    """The others are there by name, and empty; what is no exchange is ccxt's own, and so is what ours are made of."""
    lean, whole = printed_by(LOOK), printed_by(WHOLE)
    used = sorted(f"{package}.{name}" for package, names in USED.items() for name in names)
    assert lean["loaded"] == used
    assert lean["left out"] == [None, None]
    assert lean["names"] == whole["names"]
    assert lean["bases"] == whole["bases"]


def test_all_our_venues_are_loaded() -> None:
    """A venue that is added to a catalog is added here too."""
    read, traded = ({venue.ccxt_class for venue in READ.values()}, {venue.ccxt_class for venue in TRADED.values()})
    assert read | traded <= USED["ccxt.pro"]
