"""What every account has, free and locked, to the last digit. Money only moves; a transfer alone brings it or takes it.

What an order needs is locked when it is accepted and is the order's own from then on: it is paid from there, and the
rest returns when the order ends.
"""

from decimal import Decimal

from services.sim_exchange.venue.amounts import ZERO
from services.sim_exchange.venue.vocabulary import FEES_ACCOUNT, Balance


class Wallet:
    """What an account has of one asset."""

    __slots__ = ("account", "asset", "free", "locked")

    def __init__(self, account: str, asset: str) -> None:
        self.account = account
        self.asset = asset
        self.free = ZERO
        self.locked = ZERO

    def balance(self) -> Balance:
        """Return what is told of it."""
        return Balance(free=self.free, locked=self.locked)


class Ledger:
    """The wallets of all accounts, and which of them changed since that was last asked."""

    def __init__(self) -> None:
        self._wallets: dict[str, dict[str, Wallet]] = {}
        self._changed: dict[Wallet, None] = {}

    def wallet(self, account: str, asset: str) -> Wallet:
        """Return a wallet; one that was never used is empty."""
        wallets = self._wallets.get(account)
        if wallets is None:
            wallets = self._wallets[account] = {}
        wallet = wallets.get(asset)
        if wallet is None:
            wallet = wallets[asset] = Wallet(account, asset)
        return wallet

    def balances(self, account: str) -> dict[str, Balance]:
        """Return what an account has, by asset."""
        return {asset: wallet.balance() for asset, wallet in self._wallets.get(account, {}).items()}

    def transfer(self, wallet: Wallet, amount: Decimal) -> None:
        """Bring money in, or with a negative amount take it out: the one way a sum over all accounts changes."""
        wallet.free += amount
        assert wallet.free >= 0, f"{wallet.account} has less than no {wallet.asset}"

    def lock(self, wallet: Wallet, amount: Decimal) -> None:
        """Set free money aside for an order."""
        wallet.free -= amount
        wallet.locked += amount
        assert wallet.free >= 0, f"an order of {wallet.account} locked {wallet.asset} that was not free"
        self._changed[wallet] = None

    def unlock(self, wallet: Wallet, amount: Decimal) -> None:
        """Free money that an order does not need any more."""
        wallet.locked -= amount
        wallet.free += amount
        self._changed[wallet] = None

    def pay(self, payer: Wallet, payee: Wallet, amount: Decimal) -> None:
        """Move what an order had locked to whoever it traded with."""
        payer.locked -= amount
        payee.free += amount
        assert payer.locked >= 0, f"an order of {payer.account} paid {payer.asset} that it had not locked"
        self._changed[payer] = self._changed[payee] = None

    def pay_fee(self, payer: Wallet, amount: Decimal) -> None:
        """Move a fee out of free money, to the venue's own account."""
        payer.free -= amount
        self.wallet(FEES_ACCOUNT, payer.asset).free += amount
        self._changed[payer] = None

    def changed(self) -> list[Wallet]:
        """Return the wallets that changed since this was last asked, in the order in which they first did."""
        changed = list(self._changed)
        self._changed.clear()
        return changed
