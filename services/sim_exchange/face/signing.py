"""Signatures: HMAC-SHA256, in hexadecimal, over exactly the text that was sent. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

SIGNATURE: Final = "signature"


def signature_of(secret: str, text: str) -> str:
    """Return the signature of the text."""
    return hmac.new(secret.encode(), text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()


def is_signed(secret: str, text: str, signature: str) -> bool:
    """Say whether the signature is that of the text; the time this takes does not tell how much of it is right."""
    return hmac.compare_digest(signature_of(secret, text).encode(), signature.lower().encode(errors="replace"))


def signed_text(query: str, body: str) -> str:
    """Return what a REST request signs: its raw query and its raw body, one right after the other, as they came.

    The signature itself is left out wherever it stands; nothing is decoded, since an encoding undone and done again
    need not be the same bytes.
    """
    return _without_signature(query) + _without_signature(body)


def _without_signature(raw: str) -> str:
    return "&".join(part for part in raw.split("&") if not part.startswith(f"{SIGNATURE}="))


def sorted_text(parameters: Mapping[str, str]) -> str:
    """Return what a request of the WebSocket API signs: its parameters sorted by name, nothing percent-encoded."""
    return "&".join(f"{name}={parameters[name]}" for name in sorted(parameters) if name != SIGNATURE)
