"""Calls the house does without, each with what to use instead."""

import ast
from collections.abc import Iterator

from tests.house.names import calls, full_name, imported, meanings, references
from tests.house.tree import OURS, Tree, Violation

CLOCK = "the wall clock decides nothing: take the time from a message, or from the clock that shared.mesh hands in"
SAFE_FORMAT = "it runs code hidden in data: use msgspec or JSON"
SEEDED = "draw from a `random.Random(seed)` that is handed in, so that a run can be repeated"
RUN = "start a program by its list of arguments: subprocess.run([...])"
SHUTDOWN = "raise SystemExit: finalisers must run"

# A full dotted name, or the start of one when it ends with a dot.
REPLACEMENTS = {
    "datetime.date.today": CLOCK,
    "datetime.datetime.now": CLOCK,
    "datetime.datetime.today": CLOCK,
    "datetime.datetime.utcfromtimestamp": "a time without a zone lies: datetime.fromtimestamp(seconds, tz=UTC)",
    "datetime.datetime.utcnow": CLOCK,
    "eval": "parse what is expected, by name",
    "exec": "call a function, chosen by name from a table",
    "marshal.": SAFE_FORMAT,
    "os._exit": SHUTDOWN,
    "os.popen": RUN,
    "os.system": RUN,
    "pickle.": SAFE_FORMAT,
    "print": "write to sys.stdout for a person at a terminal, or log an event",
    "random.": SEEDED,
    "shelve.": SAFE_FORMAT,
    "time.sleep": "wait for the event itself, with a deadline: a bounded poll or a timer of the service shell",
    "time.time": CLOCK,
    "time.time_ns": CLOCK,
    "yaml.full_load": "use yaml.safe_load",
    "yaml.load": "use yaml.safe_load",
    "yaml.unsafe_load": "use yaml.safe_load",
}
ALLOWED = frozenset({"random.Random"})
CLOCK_HOLDER = "shared/mesh/clock.py"  # the one place that reads the wall clock, to hand it in

# Where anything may come up, and why it must not go on from there.
MAY_CATCH_ALL = {
    "shared/mesh/service/ending.py": "a service's last line of defence",
    "shared/mesh/logs.py": "the arguments of a stranger's log record may raise anything when they are formatted",
    "shared/mesh/redaction.py": "a stranger's repr may raise anything, and a log line must not end a process",
}
TOO_WIDE = frozenset({"", "BaseException", "Exception"})

# The strategies are left out: indicators are floats, and what a strategy asks for crosses to Decimal in a message.
MONEY = (
    "shared/trading",
    "shared/risk",
    "shared/instruments",
    "shared/execution",
    "services/flattener",
    "services/risk_watchdog",
    "services/sim_exchange/venue",
)


def banned_calls(tree: Tree) -> Iterator[Violation]:
    """No module names a banned function, by whatever alias; taking a reference to it counts."""
    for module in tree.modules():
        for node, name in references(module):
            replacement = replacement_of(name)
            if replacement and not (replacement == CLOCK and module.path == CLOCK_HOLDER):
                yield module.violation(node, f"`{name}` is banned: {replacement}.")


def replacement_of(name: str) -> str:
    """Return what to use instead of the name, or nothing when it may be used."""
    parts = name.split(".")
    prefixes = [f"{parts[0]}."] if len(parts) > 1 and name not in ALLOWED else []
    return next((REPLACEMENTS[key] for key in (name, *prefixes) if key in REPLACEMENTS), "")


def dangerous_imports(tree: Tree) -> Iterator[Violation]:
    """No module imports a format that runs code."""
    for module in tree.modules():
        for node, name in imported(module):
            top = name.split(".")[0]
            if top in {"marshal", "pickle", "shelve"}:
                yield module.violation(node, f"`{top}` is banned: {SAFE_FORMAT}.")


def shell_strings(tree: Tree) -> Iterator[Violation]:
    """No program is started through a shell."""
    for module in tree.modules():
        for node, _ in calls(module):
            if any(keyword.arg == "shell" and not is_false(keyword.value) for keyword in node.keywords):
                yield module.violation(node, f"shell=True is banned: {RUN}.")


def is_false(node: ast.expr) -> bool:
    """Say whether the expression is the constant False."""
    return isinstance(node, ast.Constant) and node.value is False


def false_asserted(tree: Tree) -> Iterator[Violation]:
    """No `assert False`: it says nothing, and is gone under -O."""
    for module in tree.modules():
        for node in module.nodes():
            if isinstance(node, ast.Assert) and is_false(node.test):
                yield module.violation(node, "`assert False` is banned: raise AssertionError with a sentence.")


def floats_on_money(tree: Tree) -> Iterator[Violation]:
    """Where money is counted nothing is turned into a float, and nowhere is a Decimal made from one."""
    for module in tree.modules(*OURS):
        for node, name in calls(module):
            if name.endswith("Decimal.from_float") or (name.endswith("Decimal") and any(map(is_float, node.args))):
                yield module.violation(node, "a float is not the number it shows: write Decimal('0.1').")
            if module.path.startswith(MONEY) and turns_into_float(node, name):
                yield module.violation(node, "float() on money is banned: stay with Decimal, floored to its step.")


def is_float(node: ast.expr) -> bool:
    """Say whether the expression is a float, with or without a sign, or what float() returns."""
    if isinstance(node, ast.UnaryOp):
        return is_float(node.operand)
    made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
    return made or (isinstance(node, ast.Constant) and isinstance(node.value, float))


def turns_into_float(node: ast.Call, name: str) -> bool:
    """Say whether the call makes floats, itself or by handing `float` on, as map does; to name the type is fine."""
    handed_on = any(isinstance(argument, ast.Name) and argument.id == "float" for argument in node.args)
    return name == "float" or (handed_on and name not in {"isinstance", "issubclass", "typing.TypeVar"})


def times_without_zone(tree: Tree) -> Iterator[Violation]:
    """No time is read from a number without saying in which zone."""
    for module in tree.modules():
        for node, name in calls(module):
            zoned = len(node.args) > 1 or any(keyword.arg in {"tz", None} for keyword in node.keywords)
            if name == "datetime.datetime.fromtimestamp" and not zoned:
                yield module.violation(node, "the zone of this machine decides here: fromtimestamp(seconds, tz=UTC).")


def caught_too_widely(tree: Tree) -> Iterator[Violation]:
    """Only the service shell, and what renders strangers' objects, catch Exception; nothing catches everything."""
    for module in tree.modules():
        allowed = {"Exception"} if module.path in MAY_CATCH_ALL else set()
        known = meanings(module)
        for node in module.nodes():
            if isinstance(node, ast.ExceptHandler | ast.Call):
                for name in sorted((caught(node, known) & TOO_WIDE) - allowed):
                    what = f"catching {name or 'everything'}"
                    yield module.violation(node, f"{what} is banned: name the error this place can mend.")


def caught(node: ast.ExceptHandler | ast.Call, known: dict[str, str]) -> set[str]:
    """Return the names of the errors caught by a handler or a `suppress`, an empty one for a bare except."""
    if isinstance(node, ast.ExceptHandler):
        named = list(ast.walk(node.type)) if node.type else None
    else:
        named = list(node.args) if full_name(node.func, known).endswith("suppress") else []
    if named is None:
        return {""}
    names = (full_name(part, known) for part in named if isinstance(part, ast.Name | ast.Attribute))
    return {name.removeprefix("builtins.") for name in names}
