"""Answers as they should not be: in the venue's place, or made of what the venue answered. Pure."""

from typing import Final

import msgspec

from services.sim_exchange.face.interference import Reply
from services.sim_exchange.faults import vocabulary as faults
from services.sim_exchange.faults.candles import rows_changed
from services.sim_exchange.faults.rulebook import Rule
from services.sim_exchange.faults.vocabulary import KNOWN_ERRORS, Fault

OK: Final = 200
_SECOND_MS: Final = 1_000
_HTML: Final = {"Content-Type": "text/html"}
_TEXT: Final = {"Content-Type": "text/plain"}
_PAGE: Final = b"<html><head><title>%d</title></head><body><center><h1>%d</h1></center></body></html>"
_NOT_YOURS: Final = "somebody-elses"


def reply_instead(rule: Rule, now_ms: int) -> Reply | None:
    """Return what is answered in the venue's place; None for a fault that answers nothing."""
    match rule.fault:
        case faults.HttpStatus(status=status, body=body):
            return _from_gateway(status, body)
        case faults.VenueError(code=code, message=message, status=status):
            known_status, known_message = KNOWN_ERRORS.get(code, (400, ""))
            return _refusal(status or known_status, code, message or known_message)
        case faults.EmptyBody():
            return Reply(status=OK, body=b"")
        case faults.EmptyObject():
            return Reply(status=OK, body=b"{}")
        case faults.GarbageBody():
            return Reply(status=OK, body=_PAGE % (OK, OK), headers=_HTML)
        case faults.RateLimited(retry_after_seconds=seconds):
            refusal = _refusal(
                429, -1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE."
            )
            return refusal if seconds is None else _to_be_retried(refusal, seconds)
        case faults.Banned():
            assert rule.until_ms is not None, "a ban was refused if it had no end"
            message = f"Way too much request weight used; IP banned until {rule.until_ms}."
            seconds_left = -(-(rule.until_ms - now_ms) // _SECOND_MS)
            return _to_be_retried(_refusal(418, -1003, message), seconds_left)
        case faults.Maintenance():
            return _from_gateway(503, "html")
        case faults.KeyRevoked():
            status, message = KNOWN_ERRORS[-2015]
            return _refusal(status, -2015, message)
        case _:
            return None


def reply_changed(fault: Fault, reply: Reply) -> Reply:
    """Return what becomes of the venue's own answer."""
    match fault:
        case faults.TruncatedBody():
            return msgspec.structs.replace(reply, body=reply.body[: len(reply.body) // 2])
        case faults.ForeignAck():
            return _with(reply, {"clientOrderId": _NOT_YOURS})
        case faults.ForeignBody():
            return _foreign(reply)
        case faults.CandleMissing() | faults.CandleDuplicate() | faults.CandleRevised():
            rows: list[list[object]] = msgspec.json.decode(reply.body)
            return msgspec.structs.replace(reply, body=msgspec.json.encode(rows_changed(fault, rows)))
        case _:
            return reply


def _foreign(reply: Reply) -> Reply:
    """Return the answer about another order: everything by which a client could tell it apart differs."""
    body: dict[str, object] = msgspec.json.decode(reply.body)
    order_id = body.get("orderId")
    return _with(
        reply,
        {
            "orderId": order_id + 1 if isinstance(order_id, int) else 1,
            "clientOrderId": _NOT_YOURS,
            "origClientOrderId": _NOT_YOURS,
            "status": "FILLED",
            "executedQty": body.get("origQty"),
        },
    )


def _with(reply: Reply, others: dict[str, object]) -> Reply:
    body: dict[str, object] = msgspec.json.decode(reply.body)
    changed = {name: others.get(name, value) for name, value in body.items()}
    return msgspec.structs.replace(reply, body=msgspec.json.encode(changed))


def _from_gateway(status: int, body: str) -> Reply:
    match body:
        case "html":
            return Reply(status=status, body=_PAGE % (status, status), headers=_HTML)
        case "text":
            return Reply(
                status=status, body=b"upstream connect error or disconnect/reset before headers", headers=_TEXT
            )
        case _:
            return Reply(status=status, body=b"")


def _refusal(status: int, code: int, message: str) -> Reply:
    return Reply(status=status, body=msgspec.json.encode({"code": code, "msg": message}))


def _to_be_retried(reply: Reply, seconds: int) -> Reply:
    return msgspec.structs.replace(reply, headers={**reply.headers, "Retry-After": str(seconds)})
