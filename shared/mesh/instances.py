"""What an instance may be called: a role, or a role, a dash and a name where several processes share one (`feed-2`)."""

import re
from typing import Final, get_args

from proto.fields import Role

ROLES: Final[tuple[str, ...]] = get_args(Role)
INSTANCE: Final = re.compile(rf"({'|'.join(ROLES)})(-[a-z0-9_]{{1,24}})?")
EXPECTED: Final = f"use a role ({', '.join(ROLES)}), or a role, a dash and a name"
