"""How long a role may take to start, and how often one is ended that does not. Pure."""

from typing import Final

# Who has taken its role reads its journal before it is heard: for so long that is no silence, and nobody ends it.
BOOT_NS: Final = 15_000_000_000

# Between two ends of a silent holder: twice as long each time. It may be that we are the one who does not hear, and
# what works in spite of it is not to be ended for ever.
END_AGAIN_NS: Final = 10_000_000_000
END_AGAIN_NS_MAX: Final = 160_000_000_000
