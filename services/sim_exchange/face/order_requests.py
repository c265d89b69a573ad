"""What a request to place an order says in the words of the core: each type with what it needs, and no more. Pure."""

from decimal import Decimal
from typing import Final, get_args

from services.sim_exchange.face import refusals
from services.sim_exchange.face.endpoint import Asked
from services.sim_exchange.face.order_layout import ResponseType
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.venue.vocabulary import (
    OcoLeg,
    OrderType,
    PlaceOco,
    PlaceOrder,
    SelfTradePrevention,
    Side,
    SymbolRules,
    TimeInForce,
)

SIDES: Final[tuple[Side, ...]] = get_args(Side)
TYPES: Final[tuple[OrderType, ...]] = get_args(OrderType)
TIMES_IN_FORCE: Final[tuple[TimeInForce, ...]] = get_args(TimeInForce)
PREVENTIONS: Final[tuple[SelfTradePrevention, ...]] = get_args(SelfTradePrevention)
RESPONSES: Final[tuple[ResponseType, ...]] = get_args(ResponseType)

INVALID_SIDE: Final = (-1117, "Invalid side.")
INVALID_TYPE: Final = (-1116, "Invalid orderType.")
INVALID_TIME_IN_FORCE: Final = (-1115, "Invalid timeInForce.")
INVALID_RESPONSE: Final = (-1132, "Invalid newOrderRespType.")
INVALID_PREVENTION: Final = (-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")

PRICED: Final = frozenset({"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
STOPPED: Final = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
TIMED: Final = frozenset({"LIMIT", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
LEGS: Final = frozenset({"LIMIT_MAKER", *STOPPED})


def place_order_of(asked: Asked) -> PlaceOrder:
    """Return the order that a request wants placed."""
    parameters, rules = asked.parameters, asked.rules()
    side, kind = _side(asked), _type(asked, "type")
    quantity, quote_quantity = _quantities(asked, rules, kind)
    return PlaceOrder(
        account=asked.account,
        symbol=rules.symbol,
        side=side,
        type=kind,
        client_id=parameters.client_id("newClientOrderId") or asked.fresh_id(),
        time_in_force=_time_in_force(asked, "timeInForce", kind),
        quantity=quantity,
        quote_quantity=quote_quantity,
        price=_price(asked, "price", rules, is_needed=kind in PRICED),
        stop_price=_price(asked, "stopPrice", rules, is_needed=kind in STOPPED),
        self_trade_prevention=_prevention(asked),
    )


def place_oco_of(asked: Asked) -> PlaceOco:
    """Return the order list that a request wants placed."""
    parameters, rules = asked.parameters, asked.rules()
    return PlaceOco(
        account=asked.account,
        symbol=rules.symbol,
        side=_side(asked),
        quantity=_positive("quantity", parameters.required_decimal("quantity", digits=rules.base_precision)),
        list_client_id=parameters.client_id("listClientOrderId") or asked.fresh_id(),
        above=_leg(asked, "above", rules),
        below=_leg(asked, "below", rules),
        self_trade_prevention=_prevention(asked),
    )


def response_of(asked: Asked, *, usual: ResponseType) -> ResponseType:
    """Return how much of an answer a request wants."""
    return asked.parameters.word("newOrderRespType", RESPONSES, RefusalError(*INVALID_RESPONSE)) or usual


def usual_response(kind: OrderType) -> ResponseType:
    """Return how much of an answer an order of this type gets when nothing is said."""
    return "FULL" if kind in {"LIMIT", "MARKET"} else "ACK"


def _leg(asked: Asked, name: str, rules: SymbolRules) -> OcoLeg:
    parameters = asked.parameters
    kind = _type(asked, f"{name}Type")
    if kind not in LEGS:
        raise RefusalError(*INVALID_TYPE)
    return OcoLeg(
        type=kind,
        client_id=parameters.client_id(f"{name}ClientOrderId") or asked.fresh_id(),
        price=_price(asked, f"{name}Price", rules, is_needed=kind in PRICED),
        stop_price=_price(asked, f"{name}StopPrice", rules, is_needed=kind in STOPPED),
        time_in_force=_time_in_force(asked, f"{name}TimeInForce", kind),
    )


def _side(asked: Asked) -> Side:
    side = asked.parameters.word("side", SIDES, RefusalError(*INVALID_SIDE))
    if side is None:
        raise refusals.mandatory_missing("side")
    return side


def _type(asked: Asked, name: str) -> OrderType:
    kind = asked.parameters.word(name, TYPES, RefusalError(*INVALID_TYPE))
    if kind is None:
        raise refusals.mandatory_missing(name)
    return kind


def _time_in_force(asked: Asked, name: str, kind: OrderType) -> TimeInForce | None:
    chosen = asked.parameters.word(name, TIMES_IN_FORCE, RefusalError(*INVALID_TIME_IN_FORCE))
    if kind in TIMED and chosen is None:
        raise refusals.mandatory_missing(name)
    if kind not in TIMED and chosen is not None:
        raise refusals.not_required(name)
    return chosen


def _quantities(asked: Asked, rules: SymbolRules, kind: OrderType) -> tuple[Decimal | None, Decimal | None]:
    parameters = asked.parameters
    quantity = parameters.decimal("quantity", digits=rules.base_precision)
    quote_quantity = parameters.decimal("quoteOrderQty", digits=rules.quote_precision)
    if quote_quantity is not None and kind != "MARKET":
        raise refusals.not_required("quoteOrderQty")
    if quantity is not None and quote_quantity is not None:
        raise refusals.invalid_combination()
    if quote_quantity is not None:
        return None, _positive("quoteOrderQty", quote_quantity)
    if quantity is None:
        if kind == "MARKET":
            raise refusals.one_of_two_missing("quantity", "quoteOrderQty")
        raise refusals.mandatory_missing("quantity")
    return _positive("quantity", quantity), None


def _price(asked: Asked, name: str, rules: SymbolRules, *, is_needed: bool) -> Decimal | None:
    price = asked.parameters.decimal(name, digits=rules.quote_precision)
    if price is None:
        if is_needed:
            raise refusals.mandatory_missing(name)
        return None
    if not is_needed:
        raise refusals.not_required(name)
    return _positive(name, price)


def _positive(name: str, amount: Decimal) -> Decimal:
    if not amount:
        what = "price" if name.lower().endswith("price") else "quantity"
        raise RefusalError(-1013, f"Invalid {what}.")
    return amount


def _prevention(asked: Asked) -> SelfTradePrevention:
    found = asked.parameters.word("selfTradePreventionMode", PREVENTIONS, RefusalError(*INVALID_PREVENTION))
    return found or "EXPIRE_MAKER"
