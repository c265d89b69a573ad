"""What the limits of a configuration mean for an account: in money, which one binds, and which never can.

Pure arithmetic over the risk settings, for `bowline config check`; the risk watchdog has rules of its own.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from shared.mesh.settings.model import RiskSettings
from shared.mesh.settings.profiles import PROFILE_EQUITY_MAX
from shared.mesh.settings.values import plain
from shared.risk.tiers import TIERS, tier_of_equity

_CENT = Decimal("0.01")
_SMALL = Decimal("0.00000001")


@dataclass(frozen=True)
class EffectiveLimit:
    """One limit for an example equity: its key, and what it comes to as percent, as money or as a count."""

    name: str
    key: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    count: int | None = None
    remark: str = ""


@dataclass(frozen=True)
class IdleLimit:
    """A limit that no equity of the profile can ever bring to bear, and why."""

    key: str
    reason: str


def effective_limits(risk: RiskSettings, *, equity: Decimal) -> list[EffectiveLimit]:
    """Return every limit as it would bind an account of this equity: the dry run of a configuration."""

    def part(name: str, key: str, remark: str = "") -> EffectiveLimit:
        percent: Decimal = getattr(risk, key)
        return EffectiveLimit(name, f"risk.{key}", percent, rounded(equity * percent.scaleb(-2)), remark=remark)

    def count(name: str, key: str) -> EffectiveLimit:
        return EffectiveLimit(name, f"risk.{key}", count=getattr(risk, key))

    return [
        part("risk per trade", "risk_per_trade_pct"),
        _order(risk, equity),
        _position(risk, equity),
        _positions(risk, equity),
        part("exposure", "exposure_pct"),
        part("reserve cash", "reserve_cash_pct"),
        count("entries per day", "entries_per_day_max"),
        _daily_loss(risk, equity),
        part("daily loss kill", "daily_loss_kill_pct"),
        part("drawdown kill", "drawdown_kill_pct", "counted from the peak"),
    ]


def idle_limits(risk: RiskSettings) -> list[IdleLimit]:
    """Return the limits that cannot bind while equity is within what the profile is for."""
    top = PROFILE_EQUITY_MAX[risk.profile]
    found: dict[str, str] = {}
    if risk.position_fraction * top <= risk.position_quote_max:
        found["position_quote_max"] = "risk.position_pct is reached first"
    if not _order_can_bind(risk, top):
        found["order_quote_max"] = found["order_pct"] = "the position limit is reached first"
    elif risk.order_fraction * top <= risk.order_quote_max:
        found["order_pct"] = "risk.order_quote_max is the greater, and the greater counts"
    if risk.daily_loss_is_by_size and risk.daily_loss_breaker_fraction >= TIERS[0].daily_loss_fraction:
        found["daily_loss_breaker_pct"] = "risk.daily_loss_by_size is reached first"
    return [IdleLimit(f"risk.{key}", reason) for key, reason in sorted(found.items())]


def rounded(amount: Decimal) -> Decimal:
    """Round down to cents, an amount under one to eight places: of a small account something must remain to be read."""
    cents = amount.quantize(_CENT, rounding=ROUND_DOWN)
    return cents if amount >= 1 or cents == amount else amount.quantize(_SMALL, rounding=ROUND_DOWN)


def money(amount: Decimal, asset: str) -> str:
    """Write an amount out, with its asset."""
    return f"{format(amount, 'f') if amount == amount.quantize(_CENT) else plain(amount)} {asset}"


def _position_cap(risk: RiskSettings, equity: Decimal) -> tuple[Decimal, str]:
    """Return how large one position may be, and the key that says so."""
    part = equity * risk.position_fraction
    if part <= risk.position_quote_max:
        return part, "position_pct"
    return risk.position_quote_max, "position_quote_max"


def _order_cap(risk: RiskSettings, equity: Decimal) -> tuple[Decimal, str]:
    """Return how large one order may be by the order limits alone, of which the greater counts, and its key."""
    part = equity * risk.order_fraction
    return (part, "order_pct") if part > risk.order_quote_max else (risk.order_quote_max, "order_quote_max")


def _position(risk: RiskSettings, equity: Decimal) -> EffectiveLimit:
    amount, key = _position_cap(risk, equity)
    return EffectiveLimit("position", f"risk.{key}", _percent(risk, key), rounded(amount))


def _order(risk: RiskSettings, equity: Decimal) -> EffectiveLimit:
    (position, position_key), (order, order_key) = _position_cap(risk, equity), _order_cap(risk, equity)
    if order < position:
        return EffectiveLimit("order", f"risk.{order_key}", _percent(risk, order_key), rounded(order))
    remark = f"risk.{order_key} alone would allow {plain(rounded(order))}"
    return EffectiveLimit(
        "order", f"risk.{position_key}", _percent(risk, position_key), rounded(position), remark=remark
    )


def _positions(risk: RiskSettings, equity: Decimal) -> EffectiveLimit:
    by_size = tier_of_equity(equity).positions_max
    if risk.positions_max <= by_size:
        return EffectiveLimit("positions", "risk.positions_max", count=risk.positions_max)
    remark = f"by the size of the account; risk.positions_max alone would allow {risk.positions_max}"
    return EffectiveLimit("positions", "risk.positions_max", count=by_size, remark=remark)


def _daily_loss(risk: RiskSettings, equity: Decimal) -> EffectiveLimit:
    by_size = tier_of_equity(equity).daily_loss_fraction
    if not risk.daily_loss_is_by_size or risk.daily_loss_breaker_fraction <= by_size:
        key, fraction, remark = "daily_loss_breaker_pct", risk.daily_loss_breaker_fraction, ""
    else:
        key, fraction = "daily_loss_by_size", by_size
        alone = plain(risk.daily_loss_breaker_pct)
        remark = f"by the size of the account; risk.daily_loss_breaker_pct alone would allow {alone} %"
    amount = rounded(equity * fraction)
    return EffectiveLimit("daily loss breaker", f"risk.{key}", fraction.scaleb(2), amount, remark=remark)


def _percent(risk: RiskSettings, key: str) -> Decimal | None:
    percent: Decimal | None = getattr(risk, key) if key.endswith("_pct") else None
    return percent


def _order_can_bind(risk: RiskSettings, top: Decimal) -> bool:
    """Tell whether some equity below `top` lets the order limits allow less than the position limits.

    Just above the equity at which `position_pct` passes `order_quote_max` they do, unless one of these fails.
    """
    return (
        risk.order_quote_max < risk.position_quote_max
        and risk.order_pct < risk.position_pct
        and risk.order_quote_max < risk.position_fraction * top
    )
