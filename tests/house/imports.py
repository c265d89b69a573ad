"""Who may import what, as far as import-linter cannot say it: the purity of rooms that do not exist yet, and cycles.

The contracts it can say (layers, independence of services, the protected runtime) stand in pyproject.toml.
"""

import fnmatch
import graphlib
from collections.abc import Iterator

from tests.house.names import imported, references
from tests.house.tree import OURS, Module, Tree, Violation

# Everything a pure room may import besides pure rooms: nothing here knows the time, the machine or the world.
PURE_IMPORTS = frozenset(
    {
        "__future__",
        "abc",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "hmac",
        "itertools",
        "math",
        "msgpack",
        "msgspec",
        "numba",
        "numbers",
        "numpy",
        "operator",
        "re",
        "statistics",
        "string",
        "struct",
        "talib",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "zlib",
    }
)
# What needs no import and still depends on the world: `hash` and `id` differ from one process to the next.
IMPURE_NAMES = frozenset({"__import__", "breakpoint", "hash", "id", "input", "open"}) | {
    f"numpy.{name}"
    for name in (
        "DataSource",
        "fromfile",
        "genfromtxt",
        "load",
        "loadtxt",
        "memmap",
        "random",
        "save",
        "savetxt",
        "savez",
        "savez_compressed",
    )
}
# In services: the cores, and what the simulated exchange has instead of one.
PURE_IN_SERVICES = ("services.*.core.*", "services.sim_exchange.venue.*")

# A generator draws from what it is handed, and so it may be handed on in any room. The one place that makes them makes
# them of a key that says all about what they will draw: without a key Philox would ask the machine for one.
HANDED_IN = frozenset({"numpy.random.Generator"})
MADE_OF_A_KEY = {"services/sim_exchange/market/draws.py": frozenset({"numpy.random.Philox"})}

# Services whose core is more than a package called so.
PURE_SERVICES = ("services.sim_exchange.market.", "services.sim_exchange.venue.", "services.watch.picture.")

# What judges all the rest from outside, and what its tests may have besides: where the checkout is.
CHECKER = ("services.verify.checker.", "tests.checker.")
BESIDE_THE_CHECKER = ("tests.house.tree.",)


def is_pure_room(module: Module) -> bool:
    """Say whether the module is one of the rooms without sockets, clock, files, environment and randomness."""
    if f"{module.name}.".startswith(PURE_SERVICES):
        return True
    if module.name.startswith("services."):
        return any(fnmatch.fnmatch(f"{module.name}.", pattern) for pattern in PURE_IN_SERVICES)
    return module.name.split(".")[0] in OURS and not f"{module.name}.".startswith("shared.mesh.")


def pure_rooms(tree: Tree) -> Iterator[Violation]:
    """Pure rooms import only what is pure, and call nothing that reads the world."""
    for module in tree.modules(*OURS):
        if is_pure_room(module):
            yield from impure_imports(module)
            yield from impure_calls(module)


def impure_imports(module: Module) -> Iterator[Violation]:
    """Yield the imports a pure room may not have."""
    for node, name in imported(module):
        if f"{name}.".startswith("shared.mesh."):
            advice = "a pure room does not import shared.mesh: return an effect, and let the shell perform it."
            yield module.violation(node, advice)
        elif name.split(".")[0] not in PURE_IMPORTS | {*OURS} or (reads_world(name) and not is_allowed(module, name)):
            advice = (
                f"`{name}` in a pure room: the shell does it and hands the result in. "
                "What is truly pure is added to PURE_IMPORTS in tests/house/imports.py."
            )
            yield module.violation(node, advice)


def impure_calls(module: Module) -> Iterator[Violation]:
    """Yield the uses of functions that need no import and still read or write the world."""
    for node, name in references(module):
        if reads_world(name) and not is_allowed(module, name):
            yield module.violation(node, f"`{name}` in a pure room: the shell does it and hands the result in.")


def is_allowed(module: Module, name: str) -> bool:
    """Say whether the module may name it, though it lies within what reads the world."""
    return name in HANDED_IN or name in MADE_OF_A_KEY.get(module.path, ())


def reads_world(name: str) -> bool:
    """Say whether the name is one of those that read or write the world, or lies within one."""
    return any(f"{name}.".startswith(f"{impure}.") for impure in IMPURE_NAMES)


def tests_not_imported(tree: Tree) -> Iterator[Violation]:
    """No part of the house leans on its tests."""
    for module in tree.modules(*OURS):
        for node, name in imported(module):
            if name.split(".")[0] == "tests":
                yield module.violation(node, f"`{name}` is a test's: move what both need into the house.")


def checker_stands_alone(tree: Tree) -> Iterator[Violation]:
    """Checker and tests of it know nothing of what it judges: they read bytes, by the pages that describe them."""
    for module in tree.modules():
        if f"{module.name}.".startswith(CHECKER):
            for node, name in imported(module):
                ours = name.split(".")[0] in {*OURS, "tests"}
                if ours and not f"{name}.".startswith((*CHECKER, *BESIDE_THE_CHECKER)):
                    advice = f"`{name}` in the checker: read the bytes as docs/ describes them, and share nothing."
                    yield module.violation(node, advice)


def no_cycles(tree: Tree) -> Iterator[Violation]:
    """Modules import each other in one direction."""
    modules = {module.name: module for module in tree.modules()}
    graph = {name: set(imported_modules(module, modules)) - {name} for name, module in modules.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        cycle: list[str] = error.args[1]
        advice = f"an import cycle, {' <- '.join(cycle)}: move what both need into a module below them."
        yield Violation(modules[cycle[0]].path, 1, advice)


def imported_modules(module: Module, modules: dict[str, Module]) -> Iterator[str]:
    """Yield the modules of the tree that the module imports: `from a import b` is a.b where that is a module."""
    for _, name in imported(module):
        if name in modules:
            yield name
        elif name.rpartition(".")[0] in modules:
            yield name.rpartition(".")[0]
