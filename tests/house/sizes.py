"""Sizes as a ratchet: a file, class or function that outgrew its limit is listed, and the list may only shrink."""

import ast
import tomllib
from collections.abc import Iterator

from tests.house.tree import Module, Tree, Violation

EXCEPTIONS = "tests/house/size_exceptions.toml"

FILE_LINES_MAX = 400
CLASS_LINES_MAX = 250
CLASS_METHODS_MAX = 25
FUNCTION_LINES_MAX = 60

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def sizes_within_limits(tree: Tree) -> Iterator[Violation]:
    """Nothing is larger than its limit, or than the size at which the list of exceptions froze it."""
    allowed: dict[str, int] = dict(tomllib.loads(tree.files[EXCEPTIONS]))
    for module in tree.modules():
        for line, what, size, limit in measured(module):
            yield from judged(module.path, line, (what, size, limit), allowed.pop(what, None))
    for what in allowed:
        yield Violation(EXCEPTIONS, 1, f"{what} does not exist any more: remove its line.")


def judged(path: str, line: int, measure: tuple[str, int, int], allowed: int | None) -> Iterator[Violation]:
    """Judge one measured thing by its limit and its exception."""
    what, size, limit = measure
    if allowed is None and size > limit:
        yield Violation(path, line, f"{what} is {size}, the limit is {limit}: split it by what its parts are about.")
    elif allowed is not None and size > allowed:
        yield Violation(path, line, f"{what} grew from {allowed} to {size}: exceptions only shrink; split it.")
    elif allowed is not None and size <= limit:
        yield Violation(EXCEPTIONS, 1, f"{what} is {size}, within the limit of {limit}: remove its line.")
    elif allowed is not None and size < allowed:
        yield Violation(EXCEPTIONS, 1, f"{what} shrank to {size}: lower its line from {allowed}.")


def measured(module: Module) -> Iterator[tuple[int, str, int, int]]:
    """Yield line, name, size and limit of everything in the module that has a limit."""
    yield 1, f"{module.path} lines", len(module.text.splitlines()), FILE_LINES_MAX
    for owner, node in definitions(module.syntax, module.path + "::"):
        if isinstance(node, ast.ClassDef):
            methods = sum(isinstance(child, Definition) for child in node.body)
            yield node.lineno, f"{owner}{node.name} lines", lines(node), CLASS_LINES_MAX
            yield node.lineno, f"{owner}{node.name} methods", methods, CLASS_METHODS_MAX
        else:
            yield node.lineno, f"{owner}{node.name} lines", lines(node), FUNCTION_LINES_MAX


def definitions(parent: ast.AST, owner: str) -> Iterator[tuple[str, ast.ClassDef | Definition]]:
    """Yield each class and function below the parent with the path of names that leads to it."""
    for child in ast.iter_child_nodes(parent):
        if isinstance(child, ast.ClassDef | Definition):
            yield owner, child
            yield from definitions(child, f"{owner}{child.name}.")
        else:
            yield from definitions(child, owner)


def lines(node: ast.ClassDef | Definition) -> int:
    """Return how many lines the definition spans, its decorators left out."""
    return (node.end_lineno or node.lineno) - node.lineno + 1
