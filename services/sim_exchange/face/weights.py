"""How much may be asked in a minute, and how many orders placed: the venue's counters, headers and bans. Pure."""

from typing import Final

import msgspec

from services.sim_exchange.face.refusals import BANNED, TOO_MANY_REQUESTS, RefusalError

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
DAY_MS: Final = 24 * 60 * MINUTE_MS
WEIGHT_PER_MINUTE: Final = 6_000
WALLET_WEIGHT_PER_MINUTE: Final = 12_000
ORDERS_PER_10_SECONDS: Final = 100
ORDERS_PER_DAY: Final = 200_000
REFUSED_BEFORE_BAN: Final = 20  # requests made against the answer to stop, until the address is shut out
BAN_MS_FIRST: Final = 2 * MINUTE_MS
BAN_MS_MAX: Final = 3 * DAY_MS
CALLERS_MAX: Final = 10_000  # addresses remembered; beyond it the oldest are forgotten


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits, for tests and scenarios that want others."""

    weight_per_minute: int = WEIGHT_PER_MINUTE
    wallet_weight_per_minute: int = WALLET_WEIGHT_PER_MINUTE
    orders_per_10_seconds: int = ORDERS_PER_10_SECONDS
    orders_per_day: int = ORDERS_PER_DAY


class _Count:
    """How much of something happened since the last full interval of the clock, as the venue counts."""

    __slots__ = ("_began_ms", "_interval_ms", "_used")

    def __init__(self, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._began_ms = -1
        self._used = 0

    def used(self, now_ms: int) -> int:
        began_ms = now_ms - now_ms % self._interval_ms
        if began_ms != self._began_ms:
            self._began_ms = began_ms
            self._used = 0
        return self._used

    def add(self, amount: int, now_ms: int) -> int:
        self._used = self.used(now_ms) + amount
        return self._used

    def seconds_left(self, now_ms: int) -> int:
        return -((now_ms % self._interval_ms - self._interval_ms) // SECOND_MS)


class _Caller:
    """What an address used up, and how it behaved when it was told to stop."""

    __slots__ = ("ban_ms", "banned_until_ms", "refused", "wallet", "weight")

    def __init__(self) -> None:
        self.weight = _Count(MINUTE_MS)
        self.wallet = _Count(MINUTE_MS)
        self.refused = 0
        self.ban_ms = BAN_MS_FIRST
        self.banned_until_ms = 0


class RequestWeights:
    """The weight of requests by address, the wallet's counted apart."""

    def __init__(self, limits: Limits) -> None:
        self._limits: Final = limits
        self._callers: Final[dict[str, _Caller]] = {}

    def charge(self, address: str, weight: int, now_ms: int, *, wallet: bool = False) -> dict[str, str]:
        """Count a request and return the headers that say how much is used; refuse what is beyond the limit."""
        caller = self._caller(address)
        if now_ms < caller.banned_until_ms:
            raise self._ban(caller, now_ms)
        count, limit = (
            (caller.wallet, self._limits.wallet_weight_per_minute)
            if wallet
            else (caller.weight, self._limits.weight_per_minute)
        )
        used = count.add(weight, now_ms)
        if used > limit:
            caller.refused += 1
            if caller.refused > REFUSED_BEFORE_BAN:
                raise self._banned_from_now(caller, now_ms)
            raise RefusalError(
                -1003,
                f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API.",
                status=TOO_MANY_REQUESTS,
                retry_after_seconds=count.seconds_left(now_ms),
            )
        caller.refused = 0
        return {"X-SAPI-USED-IP-WEIGHT-1M" if wallet else "X-MBX-USED-WEIGHT-1M": str(used)}

    def used(self, address: str, now_ms: int) -> int:
        """Return the weight used in this minute."""
        return self._caller(address).weight.used(now_ms)

    def _caller(self, address: str) -> _Caller:
        caller = self._callers.get(address)
        if caller is None:
            if len(self._callers) >= CALLERS_MAX:
                del self._callers[next(iter(self._callers))]
            caller = self._callers[address] = _Caller()
        return caller

    def _banned_from_now(self, caller: _Caller, now_ms: int) -> RefusalError:
        caller.banned_until_ms = now_ms + caller.ban_ms
        caller.ban_ms = min(caller.ban_ms * 2, BAN_MS_MAX)
        caller.refused = 0
        return self._ban(caller, now_ms)

    @staticmethod
    def _ban(caller: _Caller, now_ms: int) -> RefusalError:
        return RefusalError(
            -1003,
            f"Way too much request weight used; IP banned until {caller.banned_until_ms}. "
            "Please use WebSocket Streams for live updates to avoid bans.",
            status=BANNED,
            retry_after_seconds=-(-(caller.banned_until_ms - now_ms) // SECOND_MS),
        )


class OrderCounts:
    """How many orders each account placed. What was refused does not count."""

    def __init__(self, limits: Limits) -> None:
        self._limits: Final = limits
        self._by_account: Final[dict[str, tuple[_Count, _Count]]] = {}

    def check(self, account: str, amount: int, now_ms: int) -> None:
        """Refuse orders beyond the limit."""
        ten_seconds, day = self._counts(account)
        if ten_seconds.used(now_ms) + amount > self._limits.orders_per_10_seconds:
            raise self._refusal(self._limits.orders_per_10_seconds, "10 SECOND", ten_seconds.seconds_left(now_ms))
        if day.used(now_ms) + amount > self._limits.orders_per_day:
            raise self._refusal(self._limits.orders_per_day, "1 DAY", day.seconds_left(now_ms))

    def add(self, account: str, amount: int, now_ms: int) -> dict[str, str]:
        """Count orders that were placed and return the headers that say how many there were."""
        ten_seconds, day = self._counts(account)
        return {
            "X-MBX-ORDER-COUNT-10S": str(ten_seconds.add(amount, now_ms)),
            "X-MBX-ORDER-COUNT-1D": str(day.add(amount, now_ms)),
        }

    def laid_out(self, account: str, now_ms: int) -> list[dict[str, object]]:
        """Return the counts as the venue answers them."""
        ten_seconds, day = self._counts(account)
        rows = zip(limits_laid_out(self._limits)[1:], (ten_seconds, day), strict=True)
        return [{**limit, "count": count.used(now_ms)} for limit, count in rows]

    def _counts(self, account: str) -> tuple[_Count, _Count]:
        return self._by_account.setdefault(account, (_Count(10 * SECOND_MS), _Count(DAY_MS)))

    @staticmethod
    def _refusal(limit: int, interval: str, seconds_left: int) -> RefusalError:
        return RefusalError(
            -1015,
            f"Too many new orders; current limit is {limit} orders per {interval}.",
            status=TOO_MANY_REQUESTS,
            retry_after_seconds=seconds_left,
        )


def limits_laid_out(limits: Limits) -> list[dict[str, object]]:
    """Return the limits as exchangeInfo has them, the weight first."""
    rows = (
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
        ("ORDERS", "SECOND", 10, limits.orders_per_10_seconds),
        ("ORDERS", "DAY", 1, limits.orders_per_day),
    )
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for kind, interval, number, limit in rows
    ]
