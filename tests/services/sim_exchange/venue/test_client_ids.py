"""Which client ids may be used again, by the rule the exchange was opened with."""

import pytest

from services.sim_exchange.venue.accounts import DAY_MS
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import CancelOrder, ClientIdRule
from tests.services.sim_exchange.venue.builders import BTC, Desk, a_desk, buy, rules

AGAIN = buy("ann", "1", "100", name="id")
DUPLICATE = "Duplicate order sent."


def a_desk_where_it_was_used(rule: ClientIdRule) -> Desk:
    """Return an exchange where an order of that name has ended."""
    desk = a_desk(rules(), rules("ETHUSDT"), exchange=Exchange(client_ids=rule))
    desk.does(AGAIN)
    desk.does(CancelOrder(account="ann", symbol=BTC, client_id="id"))
    return desk


@pytest.mark.parametrize("rule", ["unique while open", "unique for a day", "unique for ever"])
def test_an_id_of_an_open_order_is_taken(rule: ClientIdRule) -> None:
    """Two open orders of an account on a symbol never share an id; another account or symbol may use it."""
    desk = a_desk(rules(), rules("ETHUSDT"), exchange=Exchange(client_ids=rule))
    desk.does(AGAIN)
    refused = desk.refuses(AGAIN)
    assert (refused.code, refused.message) == (-2010, DUPLICATE)
    desk.does(buy("bob", "1", "100", name="id"))


def test_an_id_is_free_when_its_order_ended() -> None:
    """The real rule: the id may be used again, and then means the newest order."""
    desk = a_desk_where_it_was_used("unique while open")
    desk.does(AGAIN)
    newest = desk.exchange.order("ann", BTC, client_id="id")
    assert newest is not None
    assert newest.order_id == 2


def test_an_id_may_be_kept_from_being_used_for_a_day() -> None:
    """A stricter rule: a day after its use the id is free."""
    desk = a_desk_where_it_was_used("unique for a day")
    assert desk.refuses(AGAIN).message == DUPLICATE
    desk.now_ms += DAY_MS
    desk.does(AGAIN)


def test_an_id_may_be_kept_from_being_used_for_ever() -> None:
    """The strictest rule: an id is used once."""
    desk = a_desk_where_it_was_used("unique for ever")
    desk.now_ms += 1000 * DAY_MS
    assert desk.refuses(AGAIN).message == DUPLICATE


@pytest.mark.parametrize("rule", ["unique for a day", "unique for ever"])
def test_the_rule_outlives_a_restart(rule: ClientIdRule) -> None:
    """An exchange that was restored refuses the ids that were used before."""
    before = a_desk_where_it_was_used(rule)
    after = Desk(Exchange(client_ids=rule))
    after.now_ms = before.now_ms
    for event in before.told:
        after.exchange.restore(event)
    assert after.refuses(AGAIN).message == DUPLICATE
