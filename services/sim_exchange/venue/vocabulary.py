"""The words of the matching core: what may be asked of it, what it answers, and what it tells that happened.

Amounts are Decimal with at most 20 digits before and after the point, as the venue's face admits them. Times are its
milliseconds since 1970, symbols are spelled as it does (`BTCUSDT`), and sides, types and states have its own words.

Of the synthetic market's own orders and balances nobody is told: public trades carry the ids of both orders.
"""

from decimal import Decimal
from typing import Final, Literal

import msgspec

Side = Literal["BUY", "SELL"]
OrderType = Literal[
    "LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"
]
TimeInForce = Literal["GTC", "IOC", "FOK"]
SelfTradePrevention = Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]
OrderStatus = Literal["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"]
Execution = Literal["NEW", "TRADE", "CANCELED", "REPLACED", "REJECTED", "EXPIRED", "TRADE_PREVENTION", "TRIGGERED"]
SymbolStatus = Literal["TRADING", "HALT", "BREAK"]
ListStatus = Literal["EXEC_STARTED", "ALL_DONE"]

ClientIdRule = Literal["unique while open", "unique for a day", "unique for ever"]
ReplaceMode = Literal["STOP_ON_FAILURE", "ALLOW_FAILURE"]

NO_LIST: Final = -1  # the list id of an order that belongs to none
FEES_ACCOUNT: Final = "fees"  # where fees go: with it, an asset's sum over all accounts changes by transfers only


class Word(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The form that all words share."""


class Told(Word, frozen=True, tag=True, tag_field="told"):
    """The form of an event: written down, it says which one it is."""


# --- what is known of a symbol -------------------------------------------------------------------------------------


class SymbolRules(Word, frozen=True):
    """A symbol with its filters. A multiplier bounds a limit price against the average of the last trades."""

    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    price_min: Decimal
    price_max: Decimal
    step_size: Decimal
    quantity_min: Decimal
    quantity_max: Decimal
    market_quantity_max: Decimal
    notional_min: Decimal
    notional_max: Decimal
    percent_up: Decimal  # bid multiplier up and ask multiplier up alike, as for nearly every symbol
    percent_down: Decimal
    open_orders_max: int
    algo_orders_max: int  # stop and take-profit orders
    base_precision: int = 8
    quote_precision: int = 8
    status: SymbolStatus = "TRADING"


class Fees(Word, frozen=True):
    """What trading costs an account, as fractions. With `in_bnb` they are paid in BNB, at a discount."""

    maker: Decimal
    taker: Decimal
    in_bnb: bool = False
    bnb_discount: Decimal = Decimal("0.25")


# --- what may be asked ---------------------------------------------------------------------------------------------


class PlaceOrder(Word, frozen=True):
    """A new order. What its type does not take is None; the face checked that what it needs is there."""

    account: str
    symbol: str
    side: Side
    type: OrderType
    client_id: str
    time_in_force: TimeInForce | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    self_trade_prevention: SelfTradePrevention = "EXPIRE_MAKER"


class OcoLeg(Word, frozen=True):
    """One of the two orders of an OCO."""

    type: OrderType
    client_id: str
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce | None = None


class PlaceOco(Word, frozen=True):
    """Two orders of which the first to fill, or to be triggered, ends the other."""

    account: str
    symbol: str
    side: Side
    quantity: Decimal
    list_client_id: str
    above: OcoLeg
    below: OcoLeg
    self_trade_prevention: SelfTradePrevention = "EXPIRE_MAKER"


class CancelOrder(Word, frozen=True):
    """End an order that still works, named by one id or the other. One leg of a list ends the whole list."""

    account: str
    symbol: str
    order_id: int | None = None
    client_id: str | None = None
    cancel_client_id: str = ""  # what the answer calls this cancellation


class CancelList(Word, frozen=True):
    """End both orders of a list."""

    account: str
    symbol: str
    list_id: int | None = None
    list_client_id: str | None = None


class CancelAll(Word, frozen=True):
    """End every order of an account on a symbol."""

    account: str
    symbol: str


class CancelReplace(Word, frozen=True):
    """End one order and place another. A filter that refuses the new one is looked at first: then nothing is done."""

    cancel: CancelOrder
    place: PlaceOrder  # of the same account and symbol
    cancel_replace_mode: ReplaceMode


class FillOrder(Word, frozen=True):
    """Trade against one order in the book at its price, past all that stands before it. For faults: nobody asks so."""

    account: str
    symbol: str
    order_id: int
    quantity: Decimal
    against: str  # the account on the other side


class TriggerOrder(Word, frozen=True):
    """Let an order that waits for a price work now, whatever the price is. For faults: nobody asks so."""

    account: str
    symbol: str
    order_id: int


class OpenAccount(Word, frozen=True):
    """Let somebody trade, or change what it costs. `is_market` marks the synthetic market's own.

    Of those nothing is kept once it ended, nothing is told, and their open orders are not counted by a filter.
    """

    account: str
    fees: Fees
    is_market: bool = False


class Transfer(Word, frozen=True):
    """Bring an asset in, or with a negative amount take it out."""

    account: str
    asset: str
    amount: Decimal


class SetRules(Word, frozen=True):
    """List a symbol, change its filters, or halt it."""

    rules: SymbolRules


Command = (
    PlaceOrder
    | PlaceOco
    | CancelOrder
    | CancelList
    | CancelAll
    | CancelReplace
    | FillOrder
    | TriggerOrder
    | OpenAccount
    | Transfer
    | SetRules
)


# --- what is told --------------------------------------------------------------------------------------------------


class OrderView(Word, frozen=True):
    """An order as it is now: enough to lay out any of the venue's answers, and to restore it."""

    account: str
    symbol: str
    order_id: int
    client_id: str
    list_id: int
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal  # of a market order by quote quantity: what was filled
    quote_quantity: Decimal
    price: Decimal  # 0 where the type has none
    stop_price: Decimal
    self_trade_prevention: SelfTradePrevention
    status: OrderStatus
    filled: Decimal
    filled_quote: Decimal
    placed_ms: int
    updated_ms: int
    working_ms: int | None  # since when it is in the book; None before a stop was triggered
    priority: int  # grows with every order that enters a book: its place in the queue at its price
    locked: Decimal  # what it still holds of its account: of the quote asset for a buy, of the base for a sell


class Fill(Word, frozen=True):
    """One trade as one side of it sees it."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    time_ms: int


class OwnTrade(Word, frozen=True):
    """A trade of an account, for its list of trades."""

    order_id: int
    list_id: int
    symbol: str
    side: Side
    fill: Fill


class TradeRemembered(Told, frozen=True):
    """A trade of an account as its list has it, carried over in a log: it was told before, and is told to nobody."""

    account: str
    trade: OwnTrade


class ClientIdRemembered(Told, frozen=True):
    """A client id that may not be used again, carried over in a log."""

    account: str
    symbol: str
    client_id: str
    used_ms: int


class OrderChanged(Told, frozen=True):
    """What the owner of an order is told; `execution` says why, `fill` is there for a trade, `reason` for a refusal."""

    order: OrderView
    execution: Execution
    fill: Fill | None = None
    cancel_client_id: str = ""
    reason: str = "NONE"


class ListView(Word, frozen=True):
    """An order list as it is now."""

    account: str
    symbol: str
    list_id: int
    list_client_id: str
    order_ids: tuple[int, ...]
    client_ids: tuple[str, ...]
    status: ListStatus
    time_ms: int


class ListChanged(Told, frozen=True):
    """A list began, or is done."""

    list: ListView


class Balance(Word, frozen=True):
    """What an account has of an asset."""

    free: Decimal
    locked: Decimal


class AccountOpened(Told, frozen=True):
    """Somebody may trade, at these costs."""

    account: str
    fees: Fees


class BalanceChanged(Told, frozen=True):
    """A balance as it is after a command; `reason` is the transfer's or the trade's, never told apart by amounts."""

    account: str
    asset: str
    balance: Balance
    reason: Literal["ORDER", "TRANSFER"]
    transferred: Decimal = Decimal(0)


class Traded(Told, frozen=True):
    """A public trade."""

    symbol: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    buyer_order_id: int
    seller_order_id: int
    buyer_is_maker: bool
    time_ms: int


class LevelChanged(Told, frozen=True):
    """What rests at a price of the book after a command; 0 removes the level. `update_id` counts without a hole."""

    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    update_id: int


class RulesChanged(Told, frozen=True):
    """A symbol was listed, its filters were changed, or it was halted."""

    rules: SymbolRules


Event = AccountOpened | OrderChanged | ListChanged | BalanceChanged | Traded | LevelChanged | RulesChanged

# What a log begins with in the place of all that was told before: events, and what only the exchange remembers.
Carried = Event | TradeRemembered | ClientIdRemembered


class Refused(Word, frozen=True):
    """A command that changed nothing, in the venue's own number and words."""

    code: int
    message: str


class Done(Word, frozen=True):
    """What a command did. `orders` are those it ended or placed, as they are after it, with the fills it gave them."""

    orders: tuple[OrderView, ...] = ()
    fills: tuple[tuple[Fill, ...], ...] = ()  # one tuple for each of `orders`
    list: ListView | None = None


class ReplaceRefused(Refused, frozen=True):
    """A CancelReplace of which a half was refused, or both: what became of each; None was not tried."""

    cancelled: Done | Refused
    placed: Done | Refused | None


class Outcome(Word, frozen=True):
    """What the asker is answered, and what everybody concerned is told, in the order in which it happened."""

    answer: Done | Refused
    events: tuple[Event, ...] = ()


class Depth(Word, frozen=True):
    """The book of a symbol after update `update_id`, best prices first."""

    update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
