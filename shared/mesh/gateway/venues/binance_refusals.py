"""Which of Binance's answers prove that nothing was done. Data: whatever is not here proves nothing.

A row is here when the venue documents that the check is made before the matching engine takes the order, or that the
engine itself refused it. Left out on purpose:

- Every 5xx and 408, whatever they say: the venue documents the status of the execution as unknown.
- -1000, -1001, -1006, -1007 and -1008: of its inside the venue says that it does not know, either.
- "Duplicate order sent." (-2010): an order with this id is open. Since an id is sent once, that is most likely this
  one, brought twice by somebody on the way. It must be looked for.
- The status without the venue's own code and words, 429 and 418 included: then somebody else spoke.
"""

import re
from collections.abc import Iterable
from typing import Final

from shared.mesh.gateway.venues.venue import Refusal, Refusals

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
BANNED: Final = 418
TOO_MANY: Final = 429

WRONG_TIME: Final = -1021
WRONG_TERMS: Final = -1013
TOO_MANY_ORDERS: Final = -1015
NEW_ORDER_REJECTED: Final = -2010
CANCEL_REJECTED: Final = -2011
NO_SUCH_ORDER: Final = -2013

_ANY: Final = ".*"
_CLOSED: Final = r"Market is closed\."
# What is wrong with the form of a request: illegal, missing, empty, unread or overlong parameters, unknown symbols,
# sides, types and times in force, impossible combinations. None of these ever becomes an order.
_MALFORMED: Final = (
    -1014, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1108, -1111, -1114, -1115, -1116, -1117, -1118, -1119,
    -1121, -1127, -1128, -1130, -1131, -1134, -1145,
)  # fmt: skip
_REFUSED_BY_ENGINE: Final = (
    r"Account has insufficient balance for requested action\.",
    r"Order would immediately match and take\.",
    r"Order would trigger immediately\.",
    r"Stop price would trigger immediately\.",
    _CLOSED,
    r"Price \* QTY is zero or less\.",
    r"This action is disabled on this account\.",
    r"This type of sub-account does not support this feature\.",
    r"This symbol is not permitted for this account\.",
    r"This symbol is restricted for this account\.",
    r"(Market|Limit|Stop loss|Stop loss limit) orders are not supported for this symbol\.",
    r"Unsupported order combination\.?",
    r"Rest API trading is not enabled\.",
)


def _rows(status: int, code: int, texts: Iterable[str]) -> tuple[Refusal, ...]:
    return tuple(Refusal(status, code, re.compile(text, re.DOTALL)) for text in texts)


# Of requests of any kind: the venue turned them away at its door.
_AT_THE_DOOR: Final = (
    *_rows(BAD_REQUEST, WRONG_TIME, (r"Timestamp for this request .*",)),
    *_rows(BAD_REQUEST, -1022, (r"Signature for this request is not valid\.",)),
    *(row for code in _MALFORMED for row in _rows(BAD_REQUEST, code, (_ANY,))),
    *(row for code in (-1002, -2014, -2015) for row in _rows(UNAUTHORIZED, code, (_ANY,))),
    *_rows(BAD_REQUEST, -2014, (_ANY,)),
    *_rows(BAD_REQUEST, -2015, (_ANY,)),
    *_rows(TOO_MANY, -1003, (r"Too (much request weight used|many requests).*",)),
    *_rows(BANNED, -1003, (r"Way too (much request weight used|many requests).*",)),
)

REFUSALS: Final = Refusals(
    of_orders=(
        *_AT_THE_DOOR,
        *_rows(BAD_REQUEST, WRONG_TERMS, (_ANY,)),
        *_rows(BAD_REQUEST, -1112, (r"No orders on book for symbol\.",)),
        *_rows(TOO_MANY, TOO_MANY_ORDERS, (r"Too many new orders.*",)),
        *_rows(BAD_REQUEST, NEW_ORDER_REJECTED, _REFUSED_BY_ENGINE),
    ),
    of_cancels=(
        *_AT_THE_DOOR,
        *_rows(BAD_REQUEST, CANCEL_REJECTED, (_ANY,)),
    ),
    closed=tuple(row for code in (WRONG_TERMS, NEW_ORDER_REJECTED) for row in _rows(BAD_REQUEST, code, (_CLOSED,))),
    no_such_order=_rows(BAD_REQUEST, NO_SUCH_ORDER, (r"Order does not exist\.",)),
    wrong_time=frozenset({WRONG_TIME}),
    wrong_terms=frozenset({WRONG_TERMS}),
    too_many_orders=frozenset({TOO_MANY_ORDERS}),
)
