"""Names, docstrings, suppressions and tests: how the house writes."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.house.names import full_name, imported, meanings
from tests.house.tree import OURS, Module, Tree, Violation

EMPTY_NAMES = frozenset(
    {
        "base",
        "common",
        "commons",
        "helper",
        "helpers",
        "lib",
        "libs",
        "manager",
        "managers",
        "misc",
        "stuff",
        "tool",
        "tools",
        "util",
        "utils",
    }
)
MODE = "(live|backtest|backtesting|paper|demo|testnet|simulated|simulation)"
MODE_FLAG = re.compile(rf"is_{MODE}|{MODE}_mode|is_dry_run|dry_run|trading_mode")
LEFTOVER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
SUPPRESSION = re.compile(r"#\s*(type:\s*ignore|noqa|ruff:|mypy:|pyright:|pragma:)")
SUPPRESSION_WITH_REASON = re.compile(r"#\s*(type:\s*ignore\[[\w, -]+\]|noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)\W+\w+\W+\w+")


def modules_named_for_what_they_own(tree: Tree) -> Iterator[Violation]:
    """No module or package has a name under which anything could stand."""
    for module in tree.modules():
        for part in module.name.split("."):
            if part in EMPTY_NAMES or part.startswith("base_"):
                yield Violation(module.path, 1, f"`{part}` says nothing: name the module for the noun it owns.")


def modules_documented(tree: Tree) -> Iterator[Violation]:
    """Every module with code in it says what it is."""
    for module in tree.modules():
        if module.syntax.body and not ast.get_docstring(module.syntax):
            yield Violation(module.path, 1, "no docstring: say what it is, who calls it and what it never does.")


def tests_specified(tree: Tree) -> Iterator[Violation]:
    """Every test's docstring is its specification."""
    for module in tree.modules("tests"):
        for node in module.nodes():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                specification = ast.get_docstring(node)
                if not specification or not specification.rstrip().endswith("."):
                    yield module.violation(node, f"`{node.name}` needs one sentence of specification as its docstring.")


def suppressions_reasoned(tree: Tree) -> Iterator[Violation]:
    """Every silenced check names its code and its reason."""
    for module in tree.modules():
        for line, comment in comments(module):
            if SUPPRESSION.search(comment) and not SUPPRESSION_WITH_REASON.search(comment):
                advice = f"`{comment}` lacks a code or a reason. Write: # noqa: CODE  # because of this."
                yield Violation(module.path, line, advice)


def nothing_left_over(tree: Tree) -> Iterator[Violation]:
    """No comment and no page carries a mark for later."""
    for module in tree.modules():
        for line, comment in comments(module):
            if LEFTOVER.search(comment):
                yield Violation(module.path, line, "a mark for later: do it, or open an issue and remove the mark.")
    for path, text in tree.documents():
        for line, words in enumerate(text.splitlines(), start=1):
            if LEFTOVER.search(words):
                yield Violation(path, line, "a mark for later: write the page, or open an issue and remove the mark.")


def comments(module: Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each comment."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def imports_at_the_top(tree: Tree) -> Iterator[Violation]:
    """No import hides in a function."""
    for module in tree.modules():
        for function in module.nodes():
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        yield module.violation(
                            node, "an import inside a function hides a dependency: move it to the top."
                        )


def no_mode_flags(tree: Tree) -> Iterator[Violation]:
    """No module asks in which mode it runs: modes differ in who holds the wires."""
    advice = "asks for a mode: wire another object in instead, a null one if need be."
    for module in tree.modules(*OURS):
        for node in module.nodes():
            name = identifier(node)
            if MODE_FLAG.fullmatch(name):
                yield module.violation(node, f"`{name}` {advice}")
            elif isinstance(node, ast.Compare) and compares_mode(node):
                yield module.violation(node, f"`{ast.unparse(node)}` {advice}")
            elif isinstance(node, ast.Match) and identifier(node.subject) == "mode":
                yield module.violation(node, f"`match {ast.unparse(node.subject)}` {advice}")


def compares_mode(node: ast.Compare) -> bool:
    """Say whether a mode is compared with a name or a text; the bits of a file's mode are numbers, and fine."""
    sides = [node.left, *node.comparators]
    named = any(identifier(side) == "mode" for side in sides)
    texts = (isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides)
    members = (isinstance(side, ast.Attribute) and identifier(side) != "mode" for side in sides)
    return named and (any(texts) or any(members))


def identifier(node: ast.AST) -> str:
    """Return the last part of the name a node carries, or nothing."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case _:
            return ""


def no_mocks(tree: Tree) -> Iterator[Violation]:
    """No test fakes anything of ours: it puts a small real object behind a seam."""
    advice = "hand a small object of the test's own through the constructor; a seam is missing if that is hard."
    for module in tree.modules():
        for node, name in imported(module):
            if name.split(".")[0] == "mock" or name.startswith(("unittest.mock", "pytest_mock")):
                yield module.violation(node, f"`{name}` is banned: {advice}")
        known = meanings(module)
        for call in module.nodes():
            if isinstance(call, ast.Call) and identifier(call.func) == "setattr" and patches_ours(call, known):
                yield module.violation(call, f"`{ast.unparse(call)}` patches our own code: {advice}")


def patches_ours(call: ast.Call, known: dict[str, str]) -> bool:
    """Say whether the first argument of a setattr is something of ours, by name or by text."""
    if not call.args:
        return False
    target = call.args[0]
    name = target.value if isinstance(target, ast.Constant) else full_name(target, known)
    return isinstance(name, str) and name.split(".")[0] in OURS
