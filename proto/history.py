"""Message versions that are spoken no longer. Journals hold them for ever, so they are read for ever.

To change a message: move its class here under its old tag, give the new one the next version, and add a `Retired` row
that turns the old into the new. The golden vectors of the old version stay in the tests (docs/how-to/add-a-message.md).
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from proto.fields import Message


class Retired(msgspec.Struct, frozen=True):
    """A version found in journals only, and how it reads as its successor."""

    message: type[Message]
    upgrade: Callable[[Any], Message]


RETIRED: Final[tuple[Retired, ...]] = ()
