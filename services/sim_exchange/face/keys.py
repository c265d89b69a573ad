"""API keys: whose they are, what they may do, and from where. Pure."""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from services.sim_exchange.face.refusals import key_format_invalid, key_rejected, signature_invalid
from services.sim_exchange.face.signing import is_signed

Permission = Literal["read", "trade"]

KEY: Final = re.compile(r"[A-Za-z0-9]{64}")


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of an account. An account may have several; an empty list of addresses restricts nothing."""

    key: str
    secret: str
    account: str
    may_read: bool = True
    may_trade: bool = False
    may_withdraw: bool = False  # nothing here withdraws; whoever arms a key wants to see that it could not
    addresses: frozenset[str] = frozenset()
    created_ms: int = 0

    def __repr__(self) -> str:
        """Return the key without its secret: logs and reports show what they are handed."""
        return f"ApiKey(key={self.key[:6]!r}..., account={self.account!r})"


class KeyRing:
    """Every key that the venue knows."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._keys: dict[str, ApiKey] = {}
        for key in keys:
            self.add(key)

    def add(self, key: ApiKey) -> None:
        """Know another key."""
        if not KEY.fullmatch(key.key):
            raise ValueError(f"the API key {key.key[:6]}... is not 64 letters and digits: the venue knows no others")
        for address in key.addresses:
            ipaddress.ip_address(address)
        self._keys[key.key] = key

    def owner_of(self, key: str) -> str | None:
        """Return whose key somebody shows, whether or not it may be used; None for a key of nobody."""
        known = self._keys.get(key)
        return None if known is None else known.account

    def identified(self, key: str, *, address: str) -> ApiKey:
        """Return the key that somebody at this address shows, or refuse."""
        if not KEY.fullmatch(key):
            raise key_format_invalid()
        known = self._keys.get(key)
        if known is None or (known.addresses and address not in known.addresses):
            raise key_rejected()
        return known


def check_signature(key: ApiKey, text: str, signature: str) -> None:
    """Refuse what was not signed with the secret of the key."""
    if not is_signed(key.secret, text, signature):
        raise signature_invalid()


def check_permission(key: ApiKey, permission: Permission) -> None:
    """Refuse what the key may not do."""
    if not (key.may_trade if permission == "trade" else key.may_read):
        raise key_rejected()
