"""ccxt without the exchanges that nobody here trades on: whoever needs ccxt has it from here.

ccxt imports every exchange it knows, three times over: half of what its import takes of each start, and 56 MB of each
process. Of its packages each plain module is an exchange. Those that we do not use are empty where ccxt is imported for
the first time in a process; everything else is as ccxt has it.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Final

from typing_extensions import override

# By package. Those of `ccxt.pro` are made of those of `ccxt.async_support`.
USED: Final = {"ccxt": frozenset[str](), "ccxt.async_support": frozenset({"binance", "binanceusdm"})}
USED["ccxt.pro"] = USED["ccxt.async_support"]


class _LeftOut(MetaPathFinder, Loader):
    """Finds the exchanges that are left out, and makes them empty."""

    @override
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        if package not in USED or name in USED[package]:
            return None
        found = PathFinder.find_spec(fullname, path)
        is_package = found is None or found.submodule_search_locations is not None
        return None if is_package else spec_from_loader(fullname, self)

    @override
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    @override
    def exec_module(self, module: ModuleType) -> None:
        setattr(module, module.__name__.rpartition(".")[2], None)  # what ccxt takes from it: the exchange's class


_left_out = _LeftOut()
sys.meta_path.insert(0, _left_out)
try:
    import ccxt
    import ccxt.pro
finally:
    sys.meta_path.remove(_left_out)

__all__ = ["ccxt"]
