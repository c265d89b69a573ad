"""Reads a fault as somebody wrote it, and says of a wrong one what is wrong, where, and what to write. Pure."""

import re
from typing import Final, get_args

import msgspec

from services.sim_exchange.faults.scope import FaultRefusedError, check_scope
from services.sim_exchange.faults.vocabulary import Fault, Kind, When

KINDS: Final[dict[str, type[Kind]]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Fault)}
_WHERE: Final = re.compile(r"^(?P<what>.*) - at `\$\.?(?P<where>[^`]*)`$", re.DOTALL)
_UNKNOWN: Final = re.compile(r"unknown field `(?P<name>.*)`")


def read_fault(written: object) -> Fault:
    """Return a fault that was written as a mapping, as JSON and YAML have them."""
    if not isinstance(written, dict):
        raise FaultRefusedError("", 'a fault is a mapping: write for example {"kind": "drop_reply"}')
    kind = written.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise FaultRefusedError("kind", f"is none of the kinds of faults: write one of {', '.join(KINDS)}")
    try:
        fault: Fault = msgspec.convert(written, Fault)
    except msgspec.ValidationError as error:
        raise _refused(str(error), KINDS[kind]) from None
    check_scope(fault)
    return fault


def _refused(said: str, kind: type[Kind]) -> FaultRefusedError:
    located = _WHERE.match(said)
    what, where = (said, "") if located is None else (located["what"], located["where"])
    unknown = _UNKNOWN.search(what)
    if unknown is None:
        return FaultRefusedError(where, what)
    name = unknown["name"]
    if name in When.__struct_fields__ and not where:
        return FaultRefusedError(name, f'belongs into `when`: write {{"when": {{"{name}": ...}}}}')
    known = When.__struct_fields__ if where else kind.__struct_fields__
    place = f"{where}.{name}".lstrip(".")
    return FaultRefusedError(place, f"is not known here: write one of {', '.join(known)}")
