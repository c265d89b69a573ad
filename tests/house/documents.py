"""What the pages promise: links that lead somewhere, commands that exist, no path of anybody's machine."""

import posixpath
import re
from collections.abc import Iterator

from services.cli import NOT_BUILT_YET, VERBS
from tests.house.tree import Tree, Violation

LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)|(?:src|srcset|href)=\"([^\"#]+)\"")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
COMMAND = re.compile(r"(?:^|`|[;&|] )\s*(?P<command>(make|bowline) ([a-z][a-z-]*))", re.MULTILINE)
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
HOME = re.compile(r"/(?:home|Users)/[a-z]\w*|/(?:root)/|~[a-z]\w*/")

BOWLINE_VERBS = {*VERBS, *NOT_BUILT_YET, "version", "help"}


def links_resolve(tree: Tree) -> Iterator[Violation]:
    """Every relative link of a page leads to a file, and to a heading of it."""
    for path, text in tree.documents():
        for match in LINK.finditer(text):
            target, heading, source = match.groups()
            link = target or source or ""
            if link.startswith(("http:", "https:", "mailto:")):
                continue
            found = posixpath.normpath(posixpath.join(posixpath.dirname(path), link)) if link else path
            if not leads_somewhere(tree, found, heading):
                yield Violation(path, line_of(text, match.start()), f"`{match[0]}` leads nowhere: mend or remove it.")


def leads_somewhere(tree: Tree, path: str, heading: str | None) -> bool:
    """Say whether the file or folder is there, with the heading where one is named."""
    if path not in tree.files:
        return heading is None and any(file.startswith(f"{path}/") for file in tree.files)
    return heading is None or heading in headings(tree.files[path])


def headings(text: str) -> set[str]:
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands_exist(tree: Tree) -> Iterator[Violation]:
    """Every `make` and `bowline` verb a page names in code exists, or was promised by name."""
    known = {"make": set(TARGET.findall(tree.files["Makefile"])), "bowline": BOWLINE_VERBS}
    for path, text in tree.documents():
        for code in CODE.finditer(text):
            for command in COMMAND.finditer(code[0]):
                program, verb = command.group(2, 3)
                if verb not in known[program]:
                    line = line_of(text, code.start() + command.start("command"))
                    yield Violation(
                        path, line, f"`{command['command']}` does not exist: `{program}` alone lists the verbs."
                    )


def no_home_paths(tree: Tree) -> Iterator[Violation]:
    """No file names a folder of somebody's machine."""
    for path, text in tree.files.items():
        for match in HOME.finditer(text):
            yield Violation(path, line_of(text, match.start()), f"`{match[0]}` is one machine's: use a relative path.")


def line_of(text: str, position: int) -> int:
    """Return the line number of a position in the text."""
    return text.count("\n", 0, position) + 1
