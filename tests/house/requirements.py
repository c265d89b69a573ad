"""The locks, pyproject.toml and docs/dependencies.md say the same."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

from tests.house.tree import Tree, Violation

LOCKS = ("requirements/mesh.txt", "requirements/research.txt", "requirements/dev.txt")
REASONS = "docs/dependencies.md"
EXACT = {"ccxt": "==4.5.90"}

PINNED = re.compile(r"^([a-z0-9-]+)==([^\s;]+)( ; [^\\]+)? \\$", re.MULTILINE)
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
RULE_CODE = re.compile(r'^\s*"[A-Z]+[0-9]*",?+(?!\s*#\s*\w)')
REASON = re.compile(r"^\| `([^`]+)` \| .*\w.* \|$", re.MULTILINE)
RENEW = "renew the locks: make lock."


def canonical(requirement: str) -> str:
    """Return the name in a requirement, as a lock spells it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0]).lower()


def declared(tree: Tree) -> dict[str, set[str]]:
    """Return the direct dependencies by the lock that has to hold them."""
    project: dict[str, Any] = tomllib.loads(tree.files["pyproject.toml"])
    lists = (
        project["project"]["dependencies"],
        project["project"]["optional-dependencies"]["research"],
        project["dependency-groups"]["dev"],
    )
    return {lock: {canonical(line) for line in names} for lock, names in zip(LOCKS, lists, strict=True)}


def pins(tree: Tree, lock: str) -> dict[str, set[str]]:
    """Return the locked versions by name; a name has several where the Python version decides."""
    found: dict[str, set[str]] = {}
    for name, version, _ in PINNED.findall(tree.files[lock]):
        found.setdefault(name, set()).add(version)
    return found


def locks_only_pin(tree: Tree) -> Iterator[Violation]:
    """Locks hold exact versions and their hashes, and name no host, path or option."""
    for lock in LOCKS:
        pinned_before = False
        for number, line in enumerate(tree.files[lock].splitlines(), start=1):
            if PINNED.fullmatch(line):
                pinned_before = True
            elif not (pinned_before and HASH.fullmatch(line)):
                yield Violation(lock, number, f"`{line}` is no version with its hashes: {RENEW}")


def locks_in_step(tree: Tree) -> Iterator[Violation]:
    """Every direct dependency is locked, exact ones at their version, and the locks agree where they overlap."""
    for lock, names in declared(tree).items():
        for name in sorted(names - pins(tree, lock).keys()):
            yield Violation(lock, 1, f"`{name}` is in pyproject.toml and not locked: {RENEW}")
    for name, version in EXACT.items():
        if pins(tree, LOCKS[0]).get(name) != {version.removeprefix("==")}:
            advice = f"`{name}` must stay at {version[2:]}: what was measured about it holds for that version only."
            yield Violation(LOCKS[0], 1, advice)
    mesh, research, dev = (pins(tree, lock) for lock in LOCKS)
    for name in sorted(mesh.keys() - research.keys()):
        yield Violation(LOCKS[1], 1, f"`{name}` of mesh.txt is missing, and set-up installs this file alone: {RENEW}")
    for lock, other in ((LOCKS[1], research), (LOCKS[2], dev)):
        known = {**research, **mesh}
        for name in sorted(other.keys() & known.keys()):
            if not other[name] <= known[name]:
                yield Violation(lock, 1, f"`{name}` differs from the version in the lock before it: {RENEW}")


def dependencies_reasoned(tree: Tree) -> Iterator[Violation]:
    """docs/dependencies.md gives the reason of each direct dependency, and of nothing else."""
    reasoned = {canonical(name) for name in REASON.findall(tree.files[REASONS])}
    direct = set[str]().union(*declared(tree).values())
    for name in sorted(direct - reasoned):
        yield Violation(REASONS, 1, f"`{name}` has no reason: add a line to the table, or do without it.")
    for name in sorted(reasoned - direct):
        yield Violation(REASONS, 1, f"`{name}` is not in pyproject.toml: remove its line.")


def exclusions_reasoned(tree: Tree) -> Iterator[Violation]:
    """Each rule that ruff is told to leave out stands on a line of its own, with its reason."""
    section = ""
    for number, line in enumerate(tree.files["pyproject.toml"].splitlines(), start=1):
        if line.startswith("["):
            section = line
        elif section.startswith("[tool.ruff.lint") and excludes_without_reason(line):
            yield Violation("pyproject.toml", number, "an exclusion without a reason: add `# why` behind it.")


def excludes_without_reason(line: str) -> bool:
    """Say whether the line silences a rule and does not say why; the wide selection of all rules silences none."""
    inline_list = re.search(r'^(?!select\b).*=\s*\[\s*"[A-Z]+[0-9]*"', line)
    return bool(RULE_CODE.search(line) or inline_list)
