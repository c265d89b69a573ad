"""For how long somebody is believed who says that a venue wants to be left alone. Pure."""

from typing import Final

BAN_SECONDS_MAX: Final = 3 * 86_400  # the longest that the venue has
STRANGER_SECONDS_MAX: Final = 60  # whoever stands between us and the venue bans nobody there


def believed_seconds(said: int, *, by_venue: bool) -> int:
    """Return how long it is left alone: long only for the venue's own words, for nobody could take them back."""
    return min(said, BAN_SECONDS_MAX if by_venue else STRANGER_SECONDS_MAX)
