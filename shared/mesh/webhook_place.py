"""Where alerts are posted: an address of somebody's, or nowhere. It may be a secret by itself, and is shown nowhere.

The settings say it, and the variable ALERTS_WEBHOOK says it better: there an address may stand that nobody else is to
know, as those of chat services are.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from shared.mesh.settings import Configuration

VARIABLE: Final = "ALERTS_WEBHOOK"
OFF: Final = "off"
LENGTH_MAX: Final = 2_000
_SCHEMES: Final = frozenset({"http", "https"})


class WebhookPlaceError(Exception):
    """Where alerts shall be posted is no address; the text says who says so and what to do, and repeats nothing."""


def webhook_place(configuration: Configuration, environment: Mapping[str, str]) -> SecretStr | None:
    """Return where alerts are posted, by the environment first and then by the settings; None is nowhere."""
    said = environment.get(VARIABLE, "") or configuration.settings.alerts.webhook
    if said == OFF:
        return None
    if not _is_address(said):
        raise WebhookPlaceError(f"{VARIABLE} is no address of a webhook: write https://host/path, or {OFF}")
    return SecretStr(said)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # looked at here, since it is only now that a senseless one is refused
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.hostname) and len(url) <= LENGTH_MAX and url.isprintable()
