"""Reads one YAML file into dotted keys with their lines; knows nothing of what the keys mean.

A configuration needs little of YAML, and the rest is where the surprises live: `no` is a word here and never false,
0.1 is exactly one tenth, anchors, tags, exponents and duplicate keys are refused, and size and depth are bounded.
"""

import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import yaml

from shared.mesh.settings.problems import Problem, SettingsError, is_name, may_be_shown

FILE_BYTES_MAX = 64 * 1024
DEPTH_MAX = 6
NUMBER_CHARACTERS_MAX = 24

Scalar = str | bool | int | Decimal
Value = Scalar | list[Scalar]

MISSING_SPACE = re.compile(r"[A-Za-z_]+:[^\s/]")  # `position_pct:5` is one word to YAML

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_NUMBER_LIKE = re.compile(r"[-+]?\.?[0-9][0-9_.,]*([eE][-+]?[0-9]*)?\s*%?")
_NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True)
class Line:
    """A value and the line of the file it stands on."""

    value: Value
    number: int


def read_yaml(path: Path, *, name: str) -> tuple[dict[str, Line], list[Problem]]:
    """Return the file's values by dotted key, and its problems; an empty file is an empty mapping."""
    try:
        text = _text_of(path, name=name)
    except SettingsError as error:
        return {}, list(error.problems)
    return parse_yaml(text, name=name)


def parse_yaml(text: str, *, name: str) -> tuple[dict[str, Line], list[Problem]]:
    """Return the values of a YAML text by dotted key, and every problem in it."""
    try:
        problems = list(_unsupported(yaml.parse(text, Loader=yaml.SafeLoader), name))
        document = None if problems else yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return {}, [_syntax_problem(error, name)]
    if document is None:
        return {}, problems
    if not isinstance(document, yaml.MappingNode):
        return {}, [Problem(f"{name}:{_line(document)}", "", _no_mapping(document))]
    flattening = _Flattening(name)
    flattening.mapping(document, "")
    return flattening.lines, flattening.problems


def number_from_text(text: str) -> int | Decimal | None:
    """Return the exact number a plainly written text stands for, or None: never through a float."""
    if len(text) > NUMBER_CHARACTERS_MAX:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _text_of(path: Path, *, name: str) -> str:
    """Return the bounded, decoded text of a regular file; anything else is a SettingsError."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise SettingsError([Problem(name, "", f"is {kind}: a YAML file is expected in its place")])
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SettingsError([Problem(name, "", f"cannot be read ({error.strerror}): check it and its mode")]) from error
    if len(content) > FILE_BYTES_MAX:
        raise SettingsError([Problem(name, "", f"is larger than {FILE_BYTES_MAX} bytes: this is no configuration")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError([Problem(f"{name}:{line}", "", "is not UTF-8 text: save it as UTF-8")]) from None


def _unsupported(events: Iterable[yaml.Event], name: str) -> Iterator[Problem]:
    """Yield what we refuse of YAML; runs over flat events, so that depth is judged before anything recurses.

    Stops drawing events at the first one too deep: the parser takes time quadratic in the depth.
    """
    depth = documents = 0
    for event in events:
        where = f"{name}:{_line(event)}"
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.DocumentStartEvent) and documents > 1:
            yield Problem(where, "", "a second document: keep one document in a file, without `---`")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            yield Problem(where, "", "anchors and aliases are not supported: write the value out")
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
            yield Problem(where, "", "tags (`!...`) are not supported: write the plain value")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            yield Problem(where, "", f"nested deeper than {DEPTH_MAX} levels: sections hold keys, keys hold values")
            return


def _syntax_problem(error: yaml.YAMLError, name: str) -> Problem:
    """Say where the YAML breaks, without the parser's own quotation of the text around it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        if error.context_mark is not None and error.problem == "could not find expected ':'":
            where = f"{name}:{error.context_mark.line + 1}"
            return Problem(where, "", "a word alone, without `: ` and a value: is a space missing after its colon?")
        where = f"{name}:{error.problem_mark.line + 1}"
        if "\\t" in (error.problem or ""):
            return Problem(where, "", "a tab: indent with spaces")
        return Problem(
            where, "", "not valid YAML: check the indentation, quotes and colons of this line and the one before"
        )
    return Problem(name, "", "holds a character YAML does not allow: save it as plain UTF-8 text")


def _no_mapping(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode) and MISSING_SPACE.match(node.value):
        return "a space is missing after the colon: write `key: value`"
    return "not a mapping: write sections such as `risk:` with keys"


def _line(marked: yaml.Node | yaml.Event) -> int:
    return int(marked.start_mark.line) + 1 if marked.start_mark is not None else 1


def _no_name(node: yaml.Node) -> str:
    """Say what to write instead of a key that is no name; a dotted one is meant as section and key."""
    section, dot, name = str(node.value).partition(".") if isinstance(node, yaml.ScalarNode) else ("", "", "")
    if dot and may_be_shown(section, ()) and may_be_shown(name, ()):
        return f"a key here holds a dot: write `{section}:` and below it, indented, `{name}:`"
    if MISSING_SPACE.match(section):
        return "a key here is not a name: is a space missing after its colon?"
    return "a key here is not a name: use letters, digits and underscores"


class _Flattening:
    """Collects dotted keys and problems while walking a document whose depth is already known to be small."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[str, Line] = {}
        self.problems: list[Problem] = []

    def mapping(self, node: yaml.MappingNode, path: str) -> None:
        """Take in every key of a mapping, refusing those said twice."""
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node, path)
            if key is None:
                continue
            if key in seen:
                self._refuse(key_node, key, f"said twice (first on line {seen[key]}): keep one")
                continue
            seen[key] = _line(key_node)
            self._value(value_node, key, seen[key])

    def _key(self, node: yaml.Node, path: str) -> str | None:
        if isinstance(node, yaml.ScalarNode) and is_name(node.value):
            return f"{path}.{node.value}" if path else str(node.value)
        self._refuse(node, path, _no_name(node))
        return None

    def _value(self, node: yaml.Node, key: str, line: int) -> None:
        if isinstance(node, yaml.MappingNode):
            if not node.value:
                self._refuse(node, key, "holds nothing: give it a key, or delete the line")
            self.mapping(node, key)
            return
        value = self._list(node, key) if isinstance(node, yaml.SequenceNode) else self._scalar(node, key)
        if value is not None:
            self.lines[key] = Line(value, line)

    def _list(self, node: yaml.SequenceNode, key: str) -> list[Scalar] | None:
        items = [self._scalar(item, key) for item in node.value]
        present = [item for item in items if item is not None]
        return present if len(present) == len(items) else None

    def _scalar(self, node: yaml.Node, key: str) -> Scalar | None:
        """Return what a scalar says: exact numbers, true and false, else words; a problem leaves None."""
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(node, key, "a single value is expected here, not a list or a mapping")
            return None
        text = str(node.value)
        if node.style is not None:
            return text
        number = number_from_text(text)
        if number is not None:
            return number
        return _BOOLEANS[text] if text in _BOOLEANS else self._word(node, key, text)

    def _word(self, node: yaml.Node, key: str, text: str) -> str | None:
        if text in _NOTHING:
            self._refuse(node, key, "has no value: give it one, or delete the line")
        elif _NOT_FINITE.fullmatch(text):
            self._refuse(node, key, "is not a finite number: write one like 10 or 0.5")
        elif _NUMBER_LIKE.fullmatch(text):
            self._refuse(node, key, "is no plainly written number: write 10 or 0.5, without exponent, separator or %")
        else:
            return text
        return None

    def _refuse(self, node: yaml.Node, key: str, text: str) -> None:
        self.problems.append(Problem(f"{self.name}:{_line(node)}", key, text))
