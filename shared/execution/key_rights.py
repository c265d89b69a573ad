"""What is known of what the venue lets our key do. Pure."""

from shared.core.service import Note
from shared.execution.vocabulary import KeyRightsTold


class KeyRights:
    """Remembers why it is not known: a key that may be one not to be used enters nothing, and closes all the same."""

    def __init__(self) -> None:
        self.unknown_for: str | None = None

    def told(self, told: KeyRightsTold) -> list[Note]:
        """Take in what the venue says, and return what a person should read of it; that it was asked is nothing."""
        before, self.unknown_for = self.unknown_for, told.unknown_for
        if told.unknown_for is not None and before not in {None, told.unknown_for}:
            return [Note("warning", "the venue does not say what the key may do", {"reason": told.unknown_for})]
        if told.unknown_for is None and not told.is_bound:
            advice = "bind it to the address of this host at the exchange: whoever finds it can trade with it"
            return [Note("warning", "the key can be used from any address", {"advice": advice})]
        return []
