"""The container's image: what the Dockerfile copies is there and let through, and nothing private is."""

import fnmatch
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from tests.house.tree import Tree, Violation

COPY = re.compile(r"^(?:COPY|ADD) +(?!--from)(?:--\S+ +)*(?P<sources>\S.*) +\S+$", re.MULTILINE)
PRIVATE = (".git", ".venv", "config/local.yaml", "user_data", "var/secrets")


def image_can_be_built(tree: Tree) -> Iterator[Violation]:
    """Every source the Dockerfile copies exists and is let through by .dockerignore; what is private is kept out."""
    for match in COPY.finditer(tree.files["Dockerfile"]):
        line = tree.files["Dockerfile"].count("\n", 0, match.start()) + 1
        for source in match["sources"].split():
            files = [path for path in tree.files if path == source or path.startswith(f"{source}/")]
            if not files:
                yield Violation("Dockerfile", line, f"`{source}` is not there: copy what is.")
            if any(is_ignored(tree, path) for path in files):
                yield Violation(
                    ".dockerignore", 1, f"`{source}` is copied by the Dockerfile: let it through, !{source}"
                )
    for path in PRIVATE:
        if not is_ignored(tree, path):
            yield Violation(".dockerignore", 1, f"`{path}` is private and let through: keep it out.")


def is_ignored(tree: Tree, path: str) -> bool:
    """Say whether .dockerignore keeps the path out: the last pattern that fits it, or a folder it is in, decides."""
    ignored = False
    places = [path, *map(str, PurePosixPath(path).parents)]
    for line in tree.files[".dockerignore"].splitlines():
        pattern = line.removeprefix("!").rstrip("/")
        if pattern and not line.startswith("#") and any(fnmatch.fnmatchcase(place, pattern) for place in places):
            ignored = not line.startswith("!")
    return ignored
