"""The send mark of the next order of a parent: under an id that no order had before. Pure."""

from decimal import Decimal
from typing import Final, Literal

from proto.fields import Side
from proto.orders import OrderKey, SendMarked
from shared.core.service import Moment
from shared.execution.books import Books, Place
from shared.execution.enquiries import WINDOW_NS
from shared.execution.reckoning import Reckoning
from shared.execution.vocabulary import SendOrder
from shared.trading.amounts import EXACT
from shared.trading.client_ids import ClientIds
from shared.trading.instruments import OrderTerms

Purpose = Literal["entry", "exit", "cover"]


class Marks:
    """Makes them."""

    def __init__(self, books: Books, client_ids: ClientIds, reckoning: Reckoning) -> None:
        self._books: Final = books
        self._client_ids: Final = client_ids
        self._reckoning: Final = reckoning

    def next(
        self,
        *,
        parent_id: str,
        place: Place,
        side: Side,
        purpose: Purpose,
        terms: OrderTerms,
        decision_price: Decimal,
        lease_age_ns: int | None,
        now: Moment,
    ) -> SendMarked:
        """Return the mark of the next order of a parent."""
        child_number = self._books.next_child(parent_id)
        worth = EXACT.multiply(terms.quantity, decision_price)
        return SendMarked(
            order=OrderKey(
                client_order_id=self._client_ids.of(parent_id, child_number=child_number),
                parent_id=parent_id,
                strategy=place[0],
                symbol=place[1],
                side=side,
                purpose=purpose,
            ),
            order_type=terms.order_type,
            quantity=terms.quantity,
            limit_price=terms.limit_price,
            stop_price=terms.stop_price,
            decision_price=decision_price,
            cost_expected_fraction=self._reckoning.cost_fraction(place[1], worth, now),
            child_number=child_number,
            window_ns=WINDOW_NS,
            lease_age_ns=lease_age_ns,
        )


def leaving(mark: SendMarked, *, sign_by_boot_ns: int) -> SendOrder:
    """Return what leaves once a mark is durable."""
    return SendOrder(
        client_order_id=mark.order.client_order_id,
        symbol=mark.order.symbol,
        side=mark.order.side,
        order_type=mark.order_type,
        quantity=mark.quantity,
        limit_price=mark.limit_price,
        stop_price=mark.stop_price,
        is_entry=mark.order.purpose == "entry",
        sign_by_boot_ns=sign_by_boot_ns,
        window_ns=mark.window_ns,
    )
