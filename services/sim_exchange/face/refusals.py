"""What the venue answers instead of doing what it was asked: one exception, and the refusals the face itself makes.

Codes and texts are the venue's own, because clients read them. What the matching core refuses comes as a `Refused`.
"""

from typing import Final

BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
CONFLICT: Final = 409
TOO_MANY_REQUESTS: Final = 429
BANNED: Final = 418


class RefusalError(Exception):
    """A request that is not carried out: the HTTP status, the venue's code and its words."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int = BAD_REQUEST,
        retry_after_seconds: int | None = None,
        data: dict[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.data = data

    def body(self) -> dict[str, object]:
        """Return the refusal as the venue lays it out."""
        told: dict[str, object] = {"code": self.code, "msg": self.message}
        return told if self.data is None else {**told, "data": self.data}


def mandatory_missing(name: str) -> RefusalError:
    """Return the refusal of a request that lacks a parameter."""
    return RefusalError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def one_of_two_missing(first: str, second: str) -> RefusalError:
    """Return the refusal of a request that names what it means in neither of two ways."""
    return RefusalError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def illegal_characters(name: str, legal: str) -> RefusalError:
    """Return the refusal of a parameter that is not written as it should be."""
    return RefusalError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def not_required(name: str) -> RefusalError:
    """Return the refusal of a parameter that the others leave no room for."""
    return RefusalError(-1106, f"Parameter '{name}' sent when not required.")


def unread_parameters(read: int, sent: int) -> RefusalError:
    """Return the refusal of a signed request with more parameters than anybody asked for."""
    return RefusalError(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.")


def too_many_parameters(expected: int, sent: int) -> RefusalError:
    """Return the refusal of a public request with more parameters than anybody asked for."""
    return RefusalError(-1101, f"Too many parameters; expected '{expected}' and received '{sent}'.")


def duplicate_parameter(name: str) -> RefusalError:
    """Return the refusal of a request that says something twice."""
    return RefusalError(-1101, f"Duplicate values for parameter '{name}'.")


def too_much_precision(name: str) -> RefusalError:
    """Return the refusal of a number with more digits than the asset has."""
    return RefusalError(-1111, f"Parameter '{name}' has too much precision.")


def invalid_symbol() -> RefusalError:
    """Return the refusal of a symbol that is not listed."""
    return RefusalError(-1121, "Invalid symbol.")


def invalid_combination() -> RefusalError:
    """Return the refusal of parameters that are right one by one, and not together."""
    return RefusalError(-1128, "Combination of optional parameters invalid.")


def key_format_invalid() -> RefusalError:
    """Return the refusal of what cannot be an API key."""
    return RefusalError(-2014, "API-key format invalid.", status=UNAUTHORIZED)


def key_rejected() -> RefusalError:
    """Return the refusal of an unknown key, of a wrong address and of a missing permission: the venue says no more."""
    return RefusalError(-2015, "Invalid API-key, IP, or permissions for action.", status=UNAUTHORIZED)


def signature_invalid() -> RefusalError:
    """Return the refusal of a request that was not signed with the secret of its key."""
    return RefusalError(-1022, "Signature for this request is not valid.")


def timestamp_ahead() -> RefusalError:
    """Return the refusal of a request from the future."""
    return RefusalError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def timestamp_outside() -> RefusalError:
    """Return the refusal of a request that came, or is about to be matched, too late."""
    return RefusalError(-1021, "Timestamp for this request is outside of the recvWindow.")
