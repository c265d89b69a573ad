"""The accounts file as a person may leave it: what the venue could not work with is said, before it opens."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.sim_exchange.accounts_file import FILE, AccountsUnusableError, accounts_of
from services.sim_exchange.face.keys import KeyRing
from shared.mesh.private_directory import PrivateDirectory

KEY = {"name": "mine", "key": "k" * 64, "secret": "s" * 64}


def _account(**others: object) -> dict[str, Any]:
    return {"account": "ann", "begins_with": {"USDT": "1000"}, "keys": [KEY], **others}


def _written(folder: Path, account: dict[str, Any]) -> PrivateDirectory:
    directory = PrivateDirectory(folder / "exchange")
    directory.replace_file(FILE, msgspec.json.encode([account]))
    return directory


def test_the_file_of_a_first_start_can_be_used(tmp_path: Path) -> None:
    """It is made once, and read again as it was."""
    directory = PrivateDirectory(tmp_path / "exchange")
    assert accounts_of(directory) == accounts_of(directory)


def test_what_may_be_written_is_taken(tmp_path: Path) -> None:
    """Amounts up to the bound, fees of nothing, and addresses of both families."""
    account = _account(
        begins_with={"USDT": "999999999999.99999999", "BTC": 0},
        maker_fee=0,
        keys=[{**KEY, "addresses": ["127.0.0.1", "::1"]}],
    )
    [read] = accounts_of(_written(tmp_path, account))
    KeyRing(read.api_keys())


@pytest.mark.parametrize(
    ("account", "complaint"),
    [
        *(
            (_account(account=name), f"the account {name} is the venue's own: take another name")
            for name in ("fees", "market-makers", "market-takers", "forced-trades")
        ),
        (
            _account(keys=[{**KEY, "addresses": ["example.com"]}]),
            "the addresses of the key mine have to be IP addresses; 'example.com' is none",
        ),
        *(
            (_account(begins_with={"USDT": amount}), f"ann cannot begin with {amount} USDT")
            for amount in ("-1", "1E+12", "1.000000001", "1E+999999999", "1E-999999999")
        ),
        *((_account(taker_fee=rate), "the fees of ann have to be fractions") for rate in ("1", "-0.1", "0.123456789")),
        (_account(begins_with={"USDT": "NaN"}), "ann cannot begin with NaN USDT"),
    ],
)
def test_what_the_venue_cannot_work_with_is_refused(tmp_path: Path, account: dict[str, Any], complaint: str) -> None:
    """Names of its own, addresses that are none, amounts and fees it could not count."""
    directory = _written(tmp_path, account)
    with pytest.raises(AccountsUnusableError) as refused:
        accounts_of(directory)
    assert f"{FILE} cannot be used ({complaint}" in str(refused.value)
