"""Signatures agree with the venue's own worked examples."""

import pytest

from services.sim_exchange.face.signing import is_signed, signature_of, signed_text, sorted_text

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"  # noqa: S105  # the venue's published example
ORDER = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC"
REST = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
WHOLE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
MIXED = "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (f"{ORDER}&{REST}", "", WHOLE),
        ("", f"{ORDER}&{REST}", WHOLE),
        (ORDER, REST, MIXED),  # nothing stands between the two, not even an ampersand
        (f"{ORDER}&{REST}&signature={WHOLE}", "", WHOLE),
        (ORDER, f"{REST}&signature={MIXED}", MIXED),
    ],
)
def test_request_is_signed_over_query_and_body_as_they_came(query: str, body: str, signature: str) -> None:
    """The text that is signed is the raw query and the raw body without the signature."""
    assert signature_of(SECRET, signed_text(query, body)) == signature


def test_what_was_encoded_is_signed_encoded() -> None:
    """A character and its percent-encoding are two texts."""
    assert signed_text("symbols=%5B%22A%22%5D", "") == "symbols=%5B%22A%22%5D"


def test_parameters_of_the_websocket_api_are_sorted_by_name() -> None:
    """The example of the venue's page on the WebSocket API."""
    sent = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "newOrderRespType": "ACK",
        "recvWindow": "100",
        "timestamp": "1645423376532",
        "apiKey": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
    }
    signature = "cc15477742bd704c29492d96c7ead9414dfd8e0ec4a00f947bb5bb454ddbd08a"
    assert signature_of(SECRET, sorted_text({**sent, "signature": signature})) == signature


@pytest.mark.parametrize("signature", ["", WHOLE[:-1], "0" * 64, "ü" * 64, WHOLE + "0"])
def test_any_other_signature_is_refused(signature: str) -> None:
    """What is not the signature is not, whatever it is made of."""
    assert not is_signed(SECRET, f"{ORDER}&{REST}", signature)
