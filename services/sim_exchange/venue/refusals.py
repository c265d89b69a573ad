"""The venue's refusals, in its own numbers and words. Clients read both, so they are never paraphrased."""

from typing import Final

from services.sim_exchange.venue.vocabulary import Refused

NEW_ORDER_REJECTED: Final = -2010
INVALID_MESSAGE: Final = -1013


def filter_failure(name: str) -> Refused:
    """Return what an order is told that a filter of its symbol does not let pass."""
    return Refused(code=INVALID_MESSAGE, message=f"Filter failure: {name}")


def too_precise(parameter: str) -> Refused:
    """Return what is answered to a number with more digits than the venue counts."""
    return Refused(code=-1111, message=f"Parameter '{parameter}' has too much precision.")


def _rejected(message: str) -> Refused:
    return Refused(code=NEW_ORDER_REJECTED, message=message)


INVALID_SYMBOL: Final = Refused(code=-1121, message="Invalid symbol.")
MARKET_CLOSED: Final = Refused(code=INVALID_MESSAGE, message="Market is closed.")
INVALID_QUANTITY: Final = Refused(code=INVALID_MESSAGE, message="Invalid quantity.")
INVALID_PRICE: Final = Refused(code=INVALID_MESSAGE, message="Invalid price.")

PRICE_FILTER: Final = filter_failure("PRICE_FILTER")
PERCENT_PRICE: Final = filter_failure("PERCENT_PRICE_BY_SIDE")
LOT_SIZE: Final = filter_failure("LOT_SIZE")
MARKET_LOT_SIZE: Final = filter_failure("MARKET_LOT_SIZE")
NOTIONAL: Final = filter_failure("NOTIONAL")
MAX_NUM_ORDERS: Final = filter_failure("MAX_NUM_ORDERS")
MAX_NUM_ALGO_ORDERS: Final = filter_failure("MAX_NUM_ALGO_ORDERS")

INSUFFICIENT_BALANCE: Final = _rejected("Account has insufficient balance for requested action.")
WOULD_TAKE: Final = _rejected("Order would immediately match and take.")
WOULD_TRIGGER: Final = _rejected("Stop price would trigger immediately.")
DUPLICATE_ORDER: Final = _rejected("Duplicate order sent.")
PRICES_UNRELATED: Final = _rejected("The relationship of the prices for the orders is not correct.")
EMPTY_BOOK: Final = _rejected("Order book liquidity is less than symbol minimum quantity.")
THIN_BOOK: Final = _rejected("Order book liquidity is less than LOT_SIZE filter minimum quantity.")

UNKNOWN_ORDER: Final = Refused(code=-2011, message="Unknown order sent.")
# For whoever only looks: the core answers a look with None, and its face says this.
NO_SUCH_ORDER: Final = Refused(code=-2013, message="Order does not exist.")

OCO_TYPE: Final = Refused(code=-1158, message="Order type not supported in OCO.")
OCO_BOTH_LIMIT: Final = Refused(code=-1168, message="At least one OCO order must be contingent.")
OCO_BUY_LIMIT: Final = Refused(code=-1165, message="A limit order in a buy OCO must be below.")
OCO_SELL_LIMIT: Final = Refused(code=-1166, message="A limit order in a sell OCO must be above.")
OCO_BUY_STOP: Final = Refused(code=-1196, message="A stop loss order in a buy OCO must be above.")
OCO_SELL_STOP: Final = Refused(code=-1197, message="A stop loss order in a sell OCO must be below.")
OCO_BUY_PROFIT: Final = Refused(code=-1198, message="A take profit order in a buy OCO must be below.")
OCO_SELL_PROFIT: Final = Refused(code=-1199, message="A take profit order in a sell OCO must be above.")

REPLACE_FAILED: Final = (-2022, "Order cancel-replace failed.")
REPLACE_FAILED_IN_PART: Final = (-2021, "Order cancel-replace partially failed.")
