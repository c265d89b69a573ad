"""The messages described as data: what a page of documentation, a generator of test values and a digest all read.

Two processes understand each other exactly when their `schema_digest` is equal; each says its own in its `Hello`.
"""

import hashlib
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from proto.envelope import Envelope, MarketEnvelope
from proto.fields import INTEGER_MAX, DecimalBound
from proto.topics import TOPICS

Kind = Literal["integer", "float", "text", "decimal", "flag", "choice", "list", "part"]

_SCALARS: Final[dict[type, Kind]] = {int: "integer", float: "float", str: "text", Decimal: "decimal", bool: "flag"}


class Shape(msgspec.Struct, frozen=True):
    """What one field may hold. `parts` are the structs of a part; `item` is what a list holds."""

    kind: Kind
    optional: bool = False
    meta: Meta | None = None
    bound: DecimalBound | None = None
    choices: tuple[str | int, ...] = ()
    parts: tuple[type[msgspec.Struct], ...] = ()
    item: "Shape | None" = None

    @property
    def words(self) -> str:
        """Say it as the documentation does."""
        return self._words() + (" or nil" if self.optional else "")

    def _words(self) -> str:
        meta = self.meta or Meta()
        match self.kind:
            case "integer":
                return f"integer, {meta.ge} to {'2^63-1' if meta.le == INTEGER_MAX else meta.le}"
            case "float":
                return f"float, {'above' if meta.ge is None else 'from'} {meta.gt or meta.ge or 0} to {meta.le:g}"
            case "text":
                return f"text, {meta.min_length or 0} to {meta.max_length} characters"
            case "decimal":
                return f"decimal text, {self.bound.words if self.bound else 'unbounded'}"
            case "flag":
                return "true or false"
            case "choice":
                return "one of " + ", ".join(f"`{choice}`" for choice in self.choices)
            case "part":
                return " or ".join(f"`{part.__name__}`" for part in self.parts)
            case "list":
                how_many = "exactly" if meta.min_length == meta.max_length else "at most"
                return f"list of {how_many} {meta.max_length}: {self.item.words if self.item else ''}"


def shape_of(annotation: Any) -> Shape:  # noqa: ANN401 -- an annotation has no common type
    """Read the shape off a field's annotation. A shape it does not know is a defect of the message."""
    if get_origin(annotation) is Annotated:
        inner, *markers = get_args(annotation)
        meta = next((marker for marker in markers if isinstance(marker, Meta)), None)
        bound = next((marker for marker in markers if isinstance(marker, DecimalBound)), None)
        return msgspec.structs.replace(shape_of(inner), meta=meta, bound=bound)
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        optional = len(members) < len(get_args(annotation))
        if len(members) == 1:
            return msgspec.structs.replace(shape_of(members[0]), optional=optional)
        return Shape(kind="part", optional=optional, parts=tuple(members))
    if get_origin(annotation) is Literal:
        return Shape(kind="choice", choices=get_args(annotation))
    if get_origin(annotation) is tuple:
        return Shape(kind="list", item=shape_of(get_args(annotation)[0]))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return Shape(kind="part", parts=(annotation,))
    return Shape(kind=_SCALARS[annotation])


@cache
def shapes_of(struct: type[msgspec.Struct]) -> dict[str, Shape]:
    """Describe every field of a message, part or envelope, in the order of its positions."""
    hints = get_type_hints(struct, include_extras=True)
    return {name: shape_of(hints[name]) for name in struct.__struct_fields__ if name != "body"}


def parts_of(struct: type[msgspec.Struct]) -> tuple[type[msgspec.Struct], ...]:
    """List the parts a struct is made of, innermost first."""
    found: dict[type[msgspec.Struct], None] = {}
    for shape in shapes_of(struct).values():
        for part in (shape.item or shape).parts:
            found |= dict.fromkeys((*parts_of(part), part))
    return tuple(found)


def schema_text() -> str:
    """Write out the envelopes and every message with its parts, positions and bounds, one line each."""
    structs: dict[type[msgspec.Struct], None] = {Envelope: None, MarketEnvelope: None}
    for topic in TOPICS:
        structs |= dict.fromkeys((*parts_of(topic.message), topic.message))
    return "".join(f"{_line(struct)}\n" for struct in structs)


def schema_lines(struct: type[msgspec.Struct]) -> list[str]:
    """Write out one message, its parts first: what must not change under its tag."""
    return [_line(part) for part in (*parts_of(struct), struct)]


def _line(struct: type[msgspec.Struct]) -> str:
    fields = ", ".join(f"{name}: {shape.words}" for name, shape in shapes_of(struct).items())
    return f"{struct.__struct_config__.tag or struct.__name__}({fields})"


@cache
def schema_digest() -> str:
    """Hash the schema: processes that speak differently notice before they trade."""
    return hashlib.sha256(schema_text().encode()).hexdigest()
