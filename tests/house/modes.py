"""No code asks in which mode it runs: demo, paper, testnet, live and test differ in who holds the wires."""

import ast
import re
from collections.abc import Iterator

from tests.house.names import identifier
from tests.house.tree import OURS, Tree, Violation

MODE = "(live|paper|testnet|sandbox|dry_?run|backtest|backtesting|simulation|simulated|demo|replay)"
# A name that can mean nothing but a mode, and a word that means one where a yes or no is expected of it.
MODE_FLAG = re.compile(rf"is_{MODE}|{MODE}_mode|dry_run|trading_mode")
MODE_WORD = re.compile(
    rf"((is|in|use|on)_)?{MODE}(_(mode|trading|run|enabled|only|account|net|environment))?", re.IGNORECASE
)


def no_mode_flags(tree: Tree) -> Iterator[Violation]:
    """No module asks in which mode it runs: modes differ in who holds the wires."""
    for module in tree.modules(*OURS):
        for node in module.nodes():
            asked = [part for part in (*truths(node), *declared(node)) if is_mode_word(part)]
            if MODE_FLAG.fullmatch(identifier(node)) or (isinstance(node, ast.Compare) and compares_mode(node)):
                asked.append(node)
            if isinstance(node, ast.Match) and identifier(node.subject) == "mode":
                asked.append(node.subject)
            for part in asked:
                advice = "asks for a mode: wire another object in instead, a null one if need be."
                yield module.violation(part, f"`{identifier(part) or ast.unparse(part)}` {advice}")


def truths(node: ast.AST) -> list[ast.expr]:
    """Return the expressions of the node that are asked for a yes or no, or held against a pattern."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            return [test]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return [operand]
        case ast.BoolOp(values=values) | ast.comprehension(ifs=values):
            return values
        case ast.MatchValue(value=value):
            return [value]
        case _:
            return []


def declared(node: ast.AST) -> list[ast.AST]:
    """Return the parameters and fields that the node declares to hold a yes or no, and the constants it hands over."""
    match node:
        case ast.arguments(posonlyargs=first, args=second, kwonlyargs=third):
            defaults = [*[None] * (len(first) + len(second) - len(node.defaults)), *node.defaults, *node.kw_defaults]
            pairs = zip([*first, *second, *third], defaults, strict=True)
            return [argument for argument, default in pairs if says_bool(argument.annotation) or is_bool(default)]
        case ast.AnnAssign(target=target, annotation=annotation):
            return [target] if says_bool(annotation) else []
        case ast.keyword(value=value):
            return [node] if is_bool(value) else []
        case _:
            return []


def is_mode_word(node: ast.AST) -> bool:
    """Say whether the node is a word for a mode: a name, the end of a dotted one, a call of it, or a text."""
    asked = node.func if isinstance(node, ast.Call) else node
    text = asked.value if isinstance(asked, ast.Constant) else identifier(asked)
    return isinstance(text, str) and MODE_WORD.fullmatch(text) is not None


def is_bool(node: ast.expr | None) -> bool:
    """Say whether the expression is True or False."""
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def says_bool(annotation: ast.expr | None) -> bool:
    """Say whether an annotation is bool, or holds it."""
    parts = ast.walk(annotation) if annotation is not None else ()
    return any(isinstance(part, ast.Name) and part.id == "bool" for part in parts)


def compares_mode(node: ast.Compare) -> bool:
    """Say whether a word for a mode is compared, or a `mode` with any word; the bits of a file's mode are numbers."""
    sides = [node.left, *node.comparators]
    parts = [
        part for side in sides for part in (side.elts if isinstance(side, ast.Tuple | ast.Set | ast.List) else [side])
    ]
    if any(map(is_mode_word, parts)):
        return True
    named = any(identifier(part) == "mode" for part in parts)
    texts = (isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)
    members = (isinstance(part, ast.Attribute) and identifier(part) != "mode" for part in parts)
    return named and (any(texts) or any(members))
