"""How long a role may take to start. Pure."""

from typing import Final

# Who has taken its role reads its journal before it is heard: for so long that is no silence, and nobody ends it.
BOOT_NS: Final = 15_000_000_000
