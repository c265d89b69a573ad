"""The names of our orders at the venue: made of what caused them, so that after any crash they are found again.

    bw-main-k3v9q2m7x1abcd-12

The prefix, the tag of the account, 14 letters of base32 of the hash of the parent's id, and the number of the child.
The same cause gives the same name in every process and after every restart. A name is used for one send only, because
the executor counts children in its journal, and never back.

It fits 32 characters, the tightest limit of a venue, of lower-case letters, digits and dashes, which all venues take.

**Can two parents have the same name?** Their hashes have 70 bits. That any two among n parents agree has a chance of
about n² / 2^71: among a million parents, which is ninety years of thirty a day, four in ten thousand million. If it did
happen, the venue would refuse the second name while the first order is open. That refusal counts as doubt, and what the
venue then shows under the name is not the order that was sent: a contradiction, never a second execution.
"""

import re
from hashlib import sha256
from typing import Final

import msgspec

from proto.fields import Id

PREFIX: Final = "bw"
LENGTH_MAX: Final = 32
CHILD_MAX: Final = 99_999  # a stop that is moved once a minute for two months
TAG_LENGTH_MAX: Final = 5
_HASH_LENGTH: Final = 14
_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_SPARE_BITS: Final = 256 - 5 * _HASH_LENGTH
_SHIFTS: Final = range(5 * (_HASH_LENGTH - 1), -1, -5)
_TAG: Final = re.compile(r"[a-z0-9]{1,5}")
_NUMBER: Final = "0|[1-9][0-9]"
_SPELLED: Final = re.compile(
    rf"{PREFIX}-(?P<tag>{_TAG.pattern})-(?P<parent>[a-z2-7]{{{_HASH_LENGTH}}})"
    rf"-(?P<child>{_NUMBER}{{0,4}})"
)


class AccountTagError(ValueError):
    """A tag that cannot be a part of a client order id."""


class ClientId(msgspec.Struct, frozen=True):
    """What can be read from a client order id. The parent is there as its hash only: `names` tells whether it is it."""

    account_tag: str
    parent_hash: str
    child_number: int

    def names(self, parent_id: Id) -> bool:
        """Say whether this is a child of that parent."""
        return self.parent_hash == _hash(parent_id)


class ClientIds:
    """The client order ids of one account."""

    def __init__(self, account_tag: str) -> None:
        if not _TAG.fullmatch(account_tag):
            raise AccountTagError(f"{account_tag[:16]!r} is no account tag: write one to five of a-z and 0-9.")
        self._account_tag: Final = account_tag

    def of(self, parent_id: Id, *, child_number: int) -> str:
        """Return the id of one child of a parent."""
        assert 0 <= child_number <= CHILD_MAX, f"{parent_id} has no child number {child_number}"
        return f"{PREFIX}-{self._account_tag}-{_hash(parent_id)}-{child_number}"

    def is_ours(self, client_id: str) -> bool:
        """Say whether an order at the venue was sent by a Bowline for this account."""
        read = parsed(client_id)
        return read is not None and read.account_tag == self._account_tag


def account_tag(account: str) -> str:
    """Return the tag of an account: its name if that will do, and else what is made of it."""
    return account if _TAG.fullmatch(account) else _hash(account)[:TAG_LENGTH_MAX]


def parsed(client_id: str) -> ClientId | None:
    """Return what a client order id says, None if it is not one of any Bowline."""
    read = _SPELLED.fullmatch(client_id)
    if read is None:
        return None
    return ClientId(read["tag"], read["parent"], int(read["child"]))


def _hash(parent_id: Id) -> str:
    number = int.from_bytes(sha256(parent_id.encode()).digest()) >> _SPARE_BITS
    return "".join([_BASE32[number >> shift & 31] for shift in _SHIFTS])
