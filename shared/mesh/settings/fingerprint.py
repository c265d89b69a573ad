"""The money hash: two configurations with the same hash risk the same money in the same way.

Arming is bound to it, and every heartbeat carries it. It is taken over effective values, so neither the order of keys,
nor the file a value stands in, nor writing 0.50 for 0.5, nor the name of the profile that gave a limit can change it.
"""

import hashlib
import json
from decimal import Decimal

from shared.mesh.settings.model import Settings
from shared.mesh.settings.values import plain

MONEY_SECTIONS = frozenset({"venue", "strategies", "risk"})
FORM = "bowline-money-1"  # raise the number when the canonical form changes: every arming then ends, on purpose


def money_hash(settings: Settings) -> str:
    """Return the SHA-256 of the part of the settings that money depends on."""
    return hashlib.sha256(canonical_money(settings).encode("ascii")).hexdigest()


def canonical_money(settings: Settings) -> str:
    """Return that part as one text that is the same on every machine."""
    parts = settings.model_dump(include=set(MONEY_SECTIONS), exclude={"risk": {"profile"}})
    canonical = {name: {key: _canonical(value) for key, value in section.items()} for name, section in parts.items()}
    return json.dumps([FORM, canonical], sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _canonical(value: object) -> str | list[str]:
    """Write numbers out in full and lists in sorted order: which symbol was named first moves no money."""
    if isinstance(value, tuple):
        return sorted(str(item) for item in value)
    return plain(Decimal(value)) if isinstance(value, int | Decimal) else str(value)
