"""Who may trade on the simulated exchange: accounts, what they begin with, and their API keys.

One file, `var/exchange/accounts.json`, made at the first start with fresh keys; a person may change it while the
exchange is down. It holds secrets, if only of money that is none: so it is kept like all others.
"""

import secrets
from decimal import Decimal
from ipaddress import ip_address
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from services.sim_exchange.face.keys import ApiKey
from services.sim_exchange.faults.hand import OTHER_SIDE
from services.sim_exchange.market.ladder import MAKERS
from services.sim_exchange.market.market import TAKERS
from services.sim_exchange.venue.amounts import TRANSFER_MAX, is_transferable, rounded_down
from services.sim_exchange.venue.vocabulary import FEES_ACCOUNT, Fees
from shared.mesh.private_directory import PrivateDirectory

FILE: Final = "accounts.json"
FILE_BYTES_MAX: Final = 256 * 1024
KEY_BYTES: Final = 32  # 64 letters and digits: the venue knows no others
RESERVED: Final = frozenset({FEES_ACCOUNT, MAKERS, TAKERS, OTHER_SIDE})
_NOTHING: Final = Decimal(0)

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class KeyOnFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of an account; `name` is for people."""

    name: Name
    key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{64}$")]
    secret: Annotated[str, Meta(min_length=16, max_length=128)]
    may_trade: bool = False
    may_withdraw: bool = False
    addresses: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Return the key without its secret: logs and reports show what they are handed."""
        return f"KeyOnFile(name={self.name!r})"


class AccountOnFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account; `begins_with` is brought in when it is opened, and never again."""

    account: Name
    begins_with: dict[str, Decimal]
    keys: tuple[KeyOnFile, ...]
    maker_fee: Decimal = Decimal("0.001")
    taker_fee: Decimal = Decimal("0.001")
    fees_in_bnb: bool = False

    @property
    def fees(self) -> Fees:
        """What trading costs it."""
        return Fees(maker=self.maker_fee, taker=self.taker_fee, in_bnb=self.fees_in_bnb)

    def api_keys(self) -> list[ApiKey]:
        """Return its keys as the venue knows them."""
        return [
            ApiKey(
                key=key.key,
                secret=key.secret,
                account=self.account,
                may_trade=key.may_trade,
                may_withdraw=key.may_withdraw,
                addresses=key.addresses,
            )
            for key in self.keys
        ]


class AccountsUnusableError(Exception):
    """An accounts file that cannot be used; the message says which, where in it, and what to do."""


def accounts_of(directory: PrivateDirectory) -> tuple[AccountOnFile, ...]:
    """Return the accounts, and make the file with one of them where there is none."""
    content = directory.read_file(FILE, bytes_max=FILE_BYTES_MAX)
    if content is None:
        content = msgspec.json.format(msgspec.json.encode((_demo(),)), indent=2) + b"\n"
        directory.replace_file(FILE, content)
    path = directory.path / FILE
    try:
        accounts = msgspec.json.decode(content, type=tuple[AccountOnFile, ...])
        _check(accounts)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise AccountsUnusableError(
            f"{path} cannot be used ({error}): correct it, or move it away to have a new one made at the next start"
        ) from error
    return accounts


def _check(accounts: tuple[AccountOnFile, ...]) -> None:
    names = [account.account for account in accounts]
    keys = [key.key for account in accounts for key in account.keys]
    for what, values in (("account", names), ("key", keys)):
        if len(set(values)) < len(values):
            raise ValueError(f"an {what} is there twice" if what == "account" else "a key is there twice")
    for account in accounts:
        _check_account(account)


def _check_account(account: AccountOnFile) -> None:
    if account.account in RESERVED:
        raise ValueError(f"the account {account.account} is the venue's own: take another name")
    for rate in (account.maker_fee, account.taker_fee):
        if not (rate.is_finite() and _NOTHING <= rate < 1 and rate == rounded_down(rate)):
            raise ValueError(f"the fees of {account.account} have to be fractions with up to 8 digits, such as 0.001")
    for asset, amount in account.begins_with.items():
        if not (is_transferable(amount) and amount >= _NOTHING):
            raise ValueError(
                f"{account.account} cannot begin with {amount} {asset}, but with 0 or more, less than "
                f"{TRANSFER_MAX:,}, with up to 8 digits behind the point"
            )
    for key in account.keys:
        for address in key.addresses:
            if not _is_address(address):
                raise ValueError(f"the addresses of the key {key.name} have to be IP addresses; {address!r} is none")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _demo() -> AccountOnFile:
    """Return the account of a first start: one key per process that has business with the venue, and one to look."""
    return AccountOnFile(
        account="demo",
        begins_with={"USDT": Decimal(10_000), "BNB": Decimal(1)},
        keys=tuple(
            KeyOnFile(
                name=name,
                key=secrets.token_hex(KEY_BYTES),
                secret=secrets.token_hex(KEY_BYTES),
                may_trade=name != "reader",
            )
            for name in ("executor", "flattener", "reader")
        ),
    )
