"""The settings: every section, key, unit, range and default, and the sanity that holds between keys.

Whoever needs a setting is handed its section by keyword; nobody reaches for a global. Percentages are written as
percent (`_pct`) and read by code as fractions (`_fraction`), so that the unit is in the name on both sides.
"""

import re
from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from shared.mesh.settings.doors import Door
from shared.mesh.settings.egress import ExecutorSettings
from shared.mesh.settings.endpoints import addresses, checked_endpoints
from shared.mesh.settings.feeds import Feed, checked_books, checked_feeds, checked_timeframes, feeds
from shared.mesh.settings.section import Section
from shared.mesh.settings.strategies import StrategySettings
from shared.mesh.settings.values import Text, count, number, percent, plain, quote, refusal

SYMBOLS_MAX = 100
_SYMBOL = re.compile(r"([A-Z0-9]{2,15})/([A-Z0-9]{2,10})")
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_NAME = Text(r"[a-z][a-z0-9_-]{0,31}", "a short name of small letters, digits, - and _")
# Neither "@" nor "?": a name and a password have no place in a file that is shown.
_REDIS_URL = Text(
    r"own|off|(rediss?://|unix:///)[!->A-~]{1,255}",
    "own, off, or an address such as redis://10.0.0.2:6379/0; one with a password belongs in the variable REDIS_URL",
)
# Nothing behind a "?" either: what is secret in an address belongs where it is not shown.
_WEBHOOK = Text(
    rf"off|https?://[a-zA-Z0-9.-]{{1,200}}(:{_PORT})?(/[!->A-~]{{0,255}})?",
    "off, or an address such as https://alerts.example.org/us, with a port of 1 to 65535 if any; "
    "a secret one belongs in the variable ALERTS_WEBHOOK",
)
_DIRECTORY = Text(r"[^\x00-\x1f\x7f~][^\x00-\x1f\x7f]{0,255}", "a path, absolute or from the project root (no ~)")


def _symbols(value: object) -> tuple[str, ...]:
    """Return the symbols in capitals, in the order given; refuse an empty list, strange shapes and duplicates."""
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= SYMBOLS_MAX:
        raise refusal(f"must be a list of 1 to {SYMBOLS_MAX} symbols such as [BTC/USDT, ETH/USDT]")
    symbols = tuple(str(symbol).strip().upper() for symbol in value)
    strange = [str(place) for place, symbol in enumerate(symbols, start=1) if not _SYMBOL.fullmatch(symbol)]
    if strange:
        entries = f"entry {strange[0]} is" if len(strange) == 1 else f"entries {', '.join(strange)} are"
        raise refusal(f"{entries} not written BASE/QUOTE, such as BTC/USDT")
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise refusal(f"{', '.join(twice)} is listed twice: keep one")
    return symbols


class PathSettings(Section):
    """Where the mesh keeps what it owns; relative paths start at the project root."""

    var_directory: Annotated[str, _DIRECTORY] = Field(
        "var", description="What the mesh owns: keys, locks, journals, logs."
    )
    run_directory: Annotated[str, _DIRECTORY] = Field(
        "var/run", description="The sockets; shorten it when a start complains that a socket's path is too long."
    )
    secrets_directory: Annotated[str, _DIRECTORY] = Field(
        "var/secrets", description="Exchange secrets: a directory of mode 0700 with files of mode 0600."
    )


class LogSettings(Section):
    """How much is logged, and in which dress."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level that is logged.")
    format: Literal["auto", "json", "pretty"] = Field(
        "auto", description="JSON lines, readable text, or readable text only on a terminal."
    )


class MeshSettings(Section):
    """Where the processes of the mesh find each other."""

    endpoints: Annotated[tuple[str, ...], BeforeValidator(checked_endpoints)] = Field(
        (), description="Sockets that stand elsewhere than in the run directory, each with its address."
    )

    @property
    def addresses(self) -> dict[str, str]:
        """Where each socket named in `endpoints` stands, by instance and socket."""
        return addresses(self.endpoints)


class VenueSettings(Section):
    """The exchange account the money is on."""

    name: Literal["binance"] = Field(
        "binance", description="The exchange, by its name in ccxt; the range is what is supported today."
    )
    url: Annotated[
        str,
        Text(
            r"simulated|official|https?://[a-zA-Z0-9.-]{1,200}(:[0-9]{1,5})?",
            "simulated, official, or an address such as http://10.0.0.2:9080 with nothing behind it",
        ),
    ] = Field(
        "simulated",
        description="Where it is: simulated (by this host), official (the exchange itself), or an address.",
    )
    account: Annotated[str, _NAME] = Field(
        "main", description="Our name for the account; its secret files carry this name."
    )
    market: Literal["spot"] = Field("spot", description="The market traded.")
    quote_asset: Annotated[str, Text(r"[A-Z0-9]{2,10}", "an asset in capitals, such as USDT")] = Field(
        "USDT", description="The asset in which prices, limits and results are counted."
    )
    vip_level: Annotated[int, number(0, 9)] = Field(0, description="The account's fee level at the exchange.")
    bnb_fees: Literal["off", "on"] = Field("off", description="Whether fees are paid in BNB, at a discount.")
    symbols: Annotated[tuple[str, ...], BeforeValidator(_symbols)] = Field(
        ("BTC/USDT", "ETH/USDT"), description="The pairs traded, each against the quote asset."
    )

    @model_validator(mode="after")
    def _symbols_share_the_quote_asset(self) -> Self:
        strangers = [symbol for symbol in self.symbols if symbol.split("/")[1] != self.quote_asset]
        if strangers:
            text = f"{', '.join(strangers)} is not quoted in {self.quote_asset} (venue.quote_asset)"
            raise _contradiction([("symbols", text)])
        return self


class FeedSettings(Section):
    """Which market data is read, and what is made of it."""

    timeframes: Annotated[tuple[str, ...], BeforeValidator(checked_timeframes)] = Field(
        ("1m", "5m", "15m", "1h"), description="The bars that are built and published, of one second and up."
    )
    books: Annotated[tuple[str, ...], BeforeValidator(checked_books)] = Field(
        (), description="The symbols whose whole order book is kept; the best prices are there without."
    )
    stale_after_seconds: Annotated[int, number(1, 3_600)] = Field(
        2, description="After how long without a quote a symbol is not trusted."
    )
    spike_pct: Annotated[Decimal, percent("0.5", "45")] = Field(
        Decimal(3),
        description="A price further than this from those of the last minute has to be confirmed by two more.",
    )
    others: Annotated[tuple[str, ...], BeforeValidator(checked_feeds)] = Field(
        (), description="Further feeds, each with its venue and the symbols that it reads instead of the first."
    )

    @property
    def spike_fraction(self) -> Decimal:
        """`spike_pct` as a fraction of the price."""
        return self.spike_pct.scaleb(-2)

    @property
    def further(self) -> tuple[Feed, ...]:
        """What `others` says."""
        return feeds(self.others)


class SimExchangeSettings(Section):
    """The simulated exchange that stands in for the venue where no money is at stake."""

    port: Annotated[int, number(1, 65_535)] = Field(9080, description="Where it serves, on this host alone.")
    admin: Literal["off", "on"] = Field(
        "off", description="Whether it fails on command, and takes deposits, at a second port with a token."
    )
    admin_port: Annotated[int, number(1, 65_535)] = Field(9081, description="Where it takes commands, if it does.")
    seed: Annotated[int, number(1, 1_000_000)] = Field(
        7, description="What its market is made of: the same number makes the same prices."
    )
    volatility_pct: Annotated[Decimal, percent("25", "1000")] = Field(
        Decimal(100), description="How far its prices move, of how far they usually do."
    )
    client_ids: Literal["open", "day", "ever"] = Field(
        "open", description="How long no other order may have its client id: while it is open, for a day, or for ever."
    )

    @property
    def volatility_fraction(self) -> Decimal:
        """`volatility_pct` as a fraction of the usual."""
        return self.volatility_pct.scaleb(-2)

    @property
    def door(self) -> Door:
        """Where it serves."""
        return Door("sim_exchange.port", self.port)

    @property
    def admin_door(self) -> Door | None:
        """Where it takes commands, None where it takes none."""
        return Door("sim_exchange.admin_port", self.admin_port) if self.admin == "on" else None


class MetricsSettings(Section):
    """What is measured, for Prometheus to fetch."""

    port: Annotated[int, number(1, 65_535)] = Field(
        9464, description="Where Prometheus fetches it, on this host alone."
    )

    @property
    def door(self) -> Door:
        """Where it is fetched."""
        return Door("metrics.port", self.port)


class AlertSettings(Section):
    """Who is told of what a person should know."""

    webhook: Annotated[str, _WEBHOOK] = Field(
        "off", description="Where alerts are posted, or nowhere (off); the variable ALERTS_WEBHOOK wins."
    )


class RedisSettings(Section):
    """The cache of latest values and short histories, which the mesh can do without."""

    url: Annotated[str, _REDIS_URL] = Field(
        "own", description="The mesh's own, none (off), or the address of another; the variable REDIS_URL wins."
    )


class RiskSettings(Section):
    """The limits; the profile gives each a value, and any may be overridden. All hold, the strictest wins."""

    profile: Literal["small", "standard", "demo"] = Field("small", description="The named set of limits to start from.")
    risk_per_trade_pct: Annotated[Decimal, percent("0.1", "5")] = Field(
        description="Equity lost, costs included, when a trade's stop is hit."
    )
    position_pct: Annotated[Decimal, percent("0.5", "25")] = Field(description="One position, of equity.")
    position_quote_max: Annotated[Decimal, quote("10", "1000000")] = Field(description="One position, in money.")
    exposure_pct: Annotated[Decimal, percent("2", "100")] = Field(description="All positions together, of equity.")
    reserve_cash_pct: Annotated[Decimal, percent("1", "90")] = Field(
        description="Quote asset left after an order, of equity."
    )
    positions_max: Annotated[int, count(1, 20)] = Field(description="Positions open at once.")
    entries_per_day_max: Annotated[int, count(1, 5_000)] = Field(
        description="Entries submitted in a UTC day; exits are never counted."
    )
    daily_loss_breaker_pct: Annotated[Decimal, percent("0.5", "20")] = Field(
        description="Loss of the UTC day, of its opening equity, that stops entries until the next one."
    )
    daily_loss_by_size: Literal["off", "on"] = Field(
        description="Whether an account may lose no more in a day than its size allows: 1 % down to 0.5 %."
    )
    daily_loss_kill_pct: Annotated[Decimal, percent("0.5", "20")] = Field(
        description="Loss of the UTC day, of its opening equity, that latches the kill switch."
    )
    drawdown_kill_pct: Annotated[Decimal, percent("1", "50")] = Field(
        description="Fall from peak equity that latches the kill switch."
    )
    order_pct: Annotated[Decimal, percent("0.5", "25")] = Field(
        description="One order, of equity; the greater of this and order_quote_max is the cap."
    )
    order_quote_max: Annotated[Decimal, quote("5", "100000")] = Field(
        description="One order, in money; the greater of this and order_pct is the cap."
    )

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        contradictions = risk_contradictions(self)
        if contradictions:
            raise _contradiction(contradictions)
        return self

    @property
    def risk_per_trade_fraction(self) -> Decimal:
        """`risk_per_trade_pct` as a fraction of equity."""
        return self.risk_per_trade_pct.scaleb(-2)

    @property
    def position_fraction(self) -> Decimal:
        """`position_pct` as a fraction of equity."""
        return self.position_pct.scaleb(-2)

    @property
    def exposure_fraction(self) -> Decimal:
        """`exposure_pct` as a fraction of equity."""
        return self.exposure_pct.scaleb(-2)

    @property
    def reserve_cash_fraction(self) -> Decimal:
        """`reserve_cash_pct` as a fraction of equity."""
        return self.reserve_cash_pct.scaleb(-2)

    @property
    def daily_loss_breaker_fraction(self) -> Decimal:
        """`daily_loss_breaker_pct` as a fraction of the day's opening equity."""
        return self.daily_loss_breaker_pct.scaleb(-2)

    @property
    def daily_loss_is_by_size(self) -> bool:
        """Whether `daily_loss_by_size` is on."""
        return self.daily_loss_by_size == "on"

    @property
    def daily_loss_kill_fraction(self) -> Decimal:
        """`daily_loss_kill_pct` as a fraction of the day's opening equity."""
        return self.daily_loss_kill_pct.scaleb(-2)

    @property
    def drawdown_kill_fraction(self) -> Decimal:
        """`drawdown_kill_pct` as a fraction of peak equity."""
        return self.drawdown_kill_pct.scaleb(-2)

    @property
    def order_fraction(self) -> Decimal:
        """`order_pct` as a fraction of equity."""
        return self.order_pct.scaleb(-2)


class Settings(Section):
    """Everything a process may be told from outside, apart from secrets."""

    paths: PathSettings = Field(default_factory=PathSettings)
    logs: LogSettings = Field(default_factory=LogSettings)
    mesh: MeshSettings = Field(default_factory=MeshSettings)
    venue: VenueSettings = Field(default_factory=VenueSettings)
    feed: FeedSettings = Field(default_factory=FeedSettings)
    sim_exchange: SimExchangeSettings = Field(default_factory=SimExchangeSettings)
    executor: ExecutorSettings = Field(default_factory=ExecutorSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    redis: RedisSettings = Field(default_factory=RedisSettings)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    strategies: StrategySettings = Field(default_factory=StrategySettings)
    risk: RiskSettings

    @property
    def venue_address(self) -> str | None:
        """Where the venue is; None is at its own addresses."""
        words = {"official": None, "simulated": self.sim_exchange.door.address}
        return words.get(self.venue.url, self.venue.url)


def sections() -> dict[str, type[BaseModel]]:
    """Return the sections by name, in the order they are declared and shown."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def settings_keys() -> dict[str, FieldInfo]:
    """Return every key by its dotted name, with what is declared about it."""
    return {
        f"{name}.{key}": field for name, section in sections().items() for key, field in section.model_fields.items()
    }


def choices(field: FieldInfo) -> tuple[str, ...]:
    """Return the words a key may be, or nothing when it is not a choice among words."""
    return tuple(str(word) for word in get_args(field.annotation)) if _is_literal(field) else ()


def risk_contradictions(risk: RiskSettings) -> list[tuple[str, str]]:
    """Return (key, plain words) for each pair of limits that cannot both be meant."""
    # A limit made unreachable by another is a slip of the pen: its owner believes in a bound that never holds.
    at_most = [
        ("risk_per_trade_pct", "position_pct"),
        ("risk_per_trade_pct", "daily_loss_breaker_pct"),
        ("position_pct", "exposure_pct"),
        ("order_pct", "position_pct"),
        ("order_quote_max", "position_quote_max"),
        ("daily_loss_breaker_pct", "daily_loss_kill_pct"),
        ("daily_loss_kill_pct", "drawdown_kill_pct"),
    ]
    values: dict[str, Decimal] = {key: Decimal(getattr(risk, key)) for pair in at_most for key in pair}
    found = [
        (low, f"{plain(values[low])} is above risk.{high} ({plain(values[high])}): lower the one or raise the other")
        for low, high in at_most
        if values[low] > values[high]
    ]
    if risk.exposure_pct + risk.reserve_cash_pct > Decimal(100):
        together = f"{plain(risk.exposure_pct)} and risk.reserve_cash_pct ({plain(risk.reserve_cash_pct)})"
        found.append(("exposure_pct", f"{together} are more than 100 % together: lower one of them"))
    return found


def _contradiction(found: list[tuple[str, str]]) -> PydanticCustomError:
    """Carry contradictions through pydantic, so that each can be shown at its own key and line."""
    return PydanticCustomError("contradiction", "the keys contradict each other", {"found": found})


def _is_literal(field: FieldInfo) -> bool:
    return getattr(field.annotation, "__origin__", None) is Literal
