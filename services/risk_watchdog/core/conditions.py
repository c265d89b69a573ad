"""How risk says what stands against entries. Pure."""

from typing import Final

from proto.fields import Name, Permission, clipped_short
from proto.risk import Condition, Everything, Scope

EVERYWHERE: Final = Everything()


def against(name: Name, reason: str, scope: Scope = EVERYWHERE, permission: Permission = "REDUCE_ONLY") -> Condition:
    """Return a condition. Of a reason that is too long the end goes: nobody could read the lease that has it."""
    return Condition(name, scope, permission, clipped_short(reason))
