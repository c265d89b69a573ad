"""What a name in a module stands for: follows its imports, so that no alias hides a call."""

import ast
from collections.abc import Iterator

from tests.house.tree import Module


def imported(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each import statement with the full dotted name it imports, relative ones made absolute."""
    for node in module.nodes():
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{source(module, node)}.{alias.name}") for alias in node.names)


def source(module: Module, node: ast.ImportFrom) -> str:
    """Return the absolute name of the module imported from."""
    if node.level == 0:
        return node.module or ""
    package = module.name.split(".")
    climbed = node.level - module.path.endswith("/__init__.py")
    kept = package[: len(package) - climbed]
    return ".".join([*kept, node.module] if node.module else kept)


def meanings(module: Module) -> dict[str, str]:
    """Return what each imported name of the module stands for, as a full dotted name."""
    known: dict[str, str] = {}
    for node in module.nodes():
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            known.update({alias.asname or alias.name: f"{source(module, node)}.{alias.name}" for alias in node.names})
    return known


def full_name(node: ast.AST, known: dict[str, str]) -> str:
    """Return the full dotted name of an expression such as `datetime.now`, or nothing when it is not one."""
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        owner = full_name(node.value, known)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def references(module: Module) -> Iterator[tuple[ast.expr, str]]:
    """Yield each expression of the module that names something, with its full dotted name."""
    known = meanings(module)
    for node in module.nodes():
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = full_name(node, known)
            if name:
                yield node, name


def calls(module: Module) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call of the module with the full dotted name of what is called."""
    known = meanings(module)
    for node in module.nodes():
        if isinstance(node, ast.Call):
            yield node, full_name(node.func, known)
