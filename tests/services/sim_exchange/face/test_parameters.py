"""What a request may say, and how it is refused when it says something else."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from services.sim_exchange.face.parameters import Parameters, parsed
from services.sim_exchange.face.refusals import RefusalError


def refusal(step: Callable[[], object]) -> str:
    """Return what refuses a step."""
    with pytest.raises(RefusalError) as raised:
        step()
    return f"{raised.value.code} {raised.value.message}"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-1", "1e3", ".5", "1.", "1,5", "0x1", " 1", "\u0661", 21 * "1"])
def test_number_is_digits_with_at_most_one_point(text: str) -> None:
    """Whatever Python or a calculator would take for a number besides is refused as illegal characters."""
    said = refusal(lambda: Parameters({"quantity": text}).decimal("quantity", digits=8))
    assert (
        said
        == r"-1100 Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'."
    )


def test_number_has_no_more_digits_than_its_asset() -> None:
    """Zeros at the end are no precision."""
    assert Parameters({"price": "1.100000000"}).decimal("price", digits=1) == Decimal("1.1")
    said = refusal(lambda: Parameters({"price": "1.11"}).decimal("price", digits=1))
    assert said == "-1111 Parameter 'price' has too much precision."


@pytest.mark.parametrize("sent", [{}, {"symbol": ""}])
def test_what_is_needed_has_to_be_there(sent: dict[str, str]) -> None:
    """A parameter that is missing is refused like one that is empty."""
    said = refusal(lambda: Parameters(sent).symbol())
    assert said == "-1102 Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."


def test_what_nobody_read_is_refused() -> None:
    """A signed request is refused by one code, a public one by another; the envelope counts as read."""
    sent = {"symbol": "A", "stopLoss": "{}", "timestamp": "1", "recvWindow": "1", "signature": "x"}
    parameters = Parameters(sent)
    parameters.symbol()
    assert refusal(lambda: parameters.check_all_read(is_signed=True)) == (
        "-1104 Not all sent parameters were read; read '4' parameter(s) but was sent '5'."
    )
    said = refusal(lambda: parameters.check_all_read(is_signed=False))
    assert said == "-1101 Too many parameters; expected '4' and received '5'."


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("a=1&a=2", "-1101 Duplicate values for parameter 'a'."),
        (
            "&".join(f"a{number}=1" for number in range(101)),
            "-1101 Too many parameters; expected '100' and received '101'.",
        ),
        ("symbol=Ü", "-1100 Illegal characters found in a parameter."),
    ],
)
def test_raw_text_that_no_client_sends_is_refused(raw: str, said: str) -> None:
    """Twice the same name, too many names, and what should have been encoded are refused."""
    assert refusal(lambda: parsed(raw)) == said


def test_raw_text_is_decoded_once() -> None:
    """Names and values are percent-decoded, wherever they stand."""
    assert parsed("a=%22x%22&b", "c=1%2B1") == {"a": '"x"', "b": "", "c": "1+1"}


@pytest.mark.parametrize("text", ["BTCUSDT", "[", "[]", "[1]", "[" * 100_000, '{"a":1}', "null"])
def test_list_of_symbols_is_json(text: str) -> None:
    """Whatever is no list of texts is refused."""
    assert refusal(lambda: Parameters({"symbols": text}).words("symbols")).startswith("-1100 ")
