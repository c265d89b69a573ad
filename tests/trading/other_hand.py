"""Somebody else on the exchange, with an account of his own and more coins than the market has buyers."""

import asyncio
import secrets
from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.accounts_file import FILE, KEY_BYTES, AccountOnFile, KeyOnFile, accounts_of
from services.sim_exchange.face.keys import ApiKey
from shared.mesh.private_directory import PrivateDirectory
from tests.services.sim_exchange.face.venue import ccxt_at

NAME: Final = "other"
SYMBOL: Final = "BTC/USDT"
HAS: Final = {"BTC": Decimal(100_000)}
SOLD: Final = 2.5  # of BTC


class OtherHand:
    """Sells so much at once that the price falls by some levels."""

    def __init__(self, directory: PrivateDirectory) -> None:
        """Add the account to those that the exchange will open at its first start."""
        key = KeyOnFile(
            name="trader", key=secrets.token_hex(KEY_BYTES), secret=secrets.token_hex(KEY_BYTES), may_trade=True
        )
        account = AccountOnFile(account=NAME, begins_with=HAS, keys=(key,))
        directory.replace_file(FILE, msgspec.json.encode((*accounts_of(directory), account)))
        self._key: Final = ApiKey(key=key.key, secret=key.secret, account=NAME, may_trade=True)

    def push_down(self, port: int) -> None:
        """Sell."""
        asyncio.run(self._sell(port))

    async def _sell(self, port: int) -> None:
        async with ccxt_at(port, self._key) as client:
            await client.load_markets()
            await client.create_order(SYMBOL, "market", "sell", SOLD)
