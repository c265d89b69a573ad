"""The checkout as data: every rule of the house is a function from a `Tree` to the violations it sees.

A tree is read from disk once and never written. `planted` returns a copy with one file more, or another text in it,
which is how the tests show that each rule bites without touching the checkout.
"""

import ast
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

OURS = ("proto", "shared", "services")
HIDDEN_FILES_READ = frozenset({".ci", ".dockerignore", ".gitignore", ".pre-commit-config.yaml"})
NOT_SOURCE = frozenset({"__pycache__", "node_modules", "user_data", "var", "local.yaml"})


@dataclass(frozen=True)
class Violation:
    """One place where a rule is broken, and what to do instead."""

    path: str
    line: int
    advice: str

    def sentence(self) -> str:
        """Return the violation as an editor can follow it."""
        return f"{self.path}:{self.line}: {self.advice}"


@dataclass(frozen=True)
class Module:
    """One Python file: its dotted name, text and syntax tree."""

    path: str
    name: str
    text: str
    syntax: ast.Module

    def nodes(self) -> Sequence[ast.AST]:
        """Return every node of the syntax tree."""
        return nodes_of(self.syntax)

    def violation(self, node: ast.AST, advice: str) -> Violation:
        """Return a violation at the node."""
        return Violation(self.path, getattr(node, "lineno", 1), advice)


@dataclass(frozen=True)
class Tree:
    """The source files of a checkout by their path; what cannot be read as text has an empty one."""

    files: Mapping[str, str]

    @staticmethod
    def read(root: Path) -> "Tree":
        """Return the files under the root that a person or a tool of ours wrote."""
        return Tree({path.relative_to(root).as_posix(): text_of(path) for path in sorted(source_files(root))})

    def planted(self, path: str, text: str) -> "Tree":
        """Return this tree with the file added or replaced."""
        return Tree({**self.files, path: text})

    def modules(self, *packages: str) -> Iterator[Module]:
        """Yield the Python modules of the named top-level packages, or of all."""
        for path, text in self.files.items():
            if path.endswith(".py") and (not packages or path.split("/")[0] in packages):
                yield Module(path, module_name(path), text, parse(text))

    def documents(self) -> Iterator[tuple[str, str]]:
        """Yield path and text of each page of documentation."""
        return ((path, text) for path, text in self.files.items() if path.endswith(".md"))


def source_files(folder: Path) -> Iterator[Path]:
    """Yield the files below the folder, leaving out what git ignores and what hides."""
    for path in folder.iterdir():
        hidden = path.name.startswith(".") and path.name not in HIDDEN_FILES_READ
        if hidden or path.name in NOT_SOURCE or path.suffix == ".egg-info":
            continue
        if path.is_dir():
            yield from source_files(path)
        else:
            yield path


def text_of(path: Path) -> str:
    """Return the file's text, empty for a picture or another file that is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def module_name(path: str) -> str:
    """Return the dotted name under which the file is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> ast.Module:
    """Return the syntax tree of the text; planted trees share those of the files they left alone."""
    return ast.parse(text)


@functools.lru_cache(maxsize=4096)
def nodes_of(syntax: ast.Module) -> Sequence[ast.AST]:
    """Return every node of a syntax tree; to walk it costs more than most rules, and each rule wants them all."""
    return tuple(ast.walk(syntax))
