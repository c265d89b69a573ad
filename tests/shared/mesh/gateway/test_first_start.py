"""A gateway and an exchange that are started for the first time, in whatever order, and what a restart costs."""

from decimal import Decimal

from shared.execution.vocabulary import Acknowledged, OrderTold, StreamLost, StreamOpened
from shared.mesh.settings.loader import load_configuration
from shared.mesh.venue_key import key_source
from tests.services.sim_exchange.exchange_process import ExchangeProject
from tests.shared.mesh.gateway.opened import CLIENT_ID, an_order, opened


async def test_demo_needs_no_setting_up() -> None:
    """A gateway that is there before the exchange trades with the key that the exchange makes, also after a restart."""
    with ExchangeProject() as project:
        configuration = load_configuration(root=project.root, environment={})
        address = configuration.settings.venue_address
        assert address is not None
        async with opened(address, key=key_source(configuration, name="executor")) as gateway:
            lost = await gateway.brought.first(StreamLost)
            assert lost.reason == "there is no key yet: the exchange makes it at its first start"
            process = project.start()
            await gateway.is_ready()
            bought = await gateway.sent(an_order(order_type="market", quantity="0.001", limit_price=None))
            assert isinstance(bought.outcome, Acknowledged), bought
            told = await gateway.brought.first(OrderTold, lambda told: told.trade is not None)
            assert told.order.client_order_id == CLIENT_ID
            seen = len(gateway.brought.all)
            assert project.stop(process) == 0
            await gateway.brought.first(StreamLost, since=seen)
            project.start()
            await gateway.brought.first(StreamOpened, since=seen)
            read = await gateway.read()
            assert read.order is not None
            assert (read.order.status, read.order.executed_quantity) == ("filled", Decimal("0.001"))
