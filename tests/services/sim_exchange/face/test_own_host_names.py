"""The unmodified ccxt with no address changed: the venue answers under the exchange's own host names, over TLS."""

import datetime as dt
import ipaddress
import socket
import ssl
from pathlib import Path

import aiohttp
import ccxt.pro
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.mesh.clock import SystemClock
from tests.services.sim_exchange.face.venue import ALICE, OPTIONS, serving, within

SYMBOL = "BTC/USDT"
HOSTS = "*.binance.com"


class Here(AbstractResolver):
    """Whatever the host, it is this machine, and the port the venue's."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the venue's address."""
        del port
        found = ResolveResult(
            hostname=host, host="127.0.0.1", port=self._port, family=family, proto=0, flags=socket.AI_NUMERICHOST
        )
        return [found]

    async def close(self) -> None:
        """Have nothing to close."""


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return what the venue and its client need to believe that the venue is the exchange."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of this test")])
    now = dt.datetime.fromtimestamp(SystemClock().wall_ns() // 10**9, tz=dt.UTC)
    names = [x509.DNSName(HOSTS), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    serves = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serves.load_cert_chain(certificate_file, key_file)
    return serves, ssl.create_default_context(cafile=str(certificate_file))


async def test_exchange_is_taken_for_the_real_one(tmp_path: Path) -> None:
    """Markets, an order, its report, the book and an error, with every address and every class as in production."""
    serves, believes = certified(tmp_path)
    async with serving(tls=serves) as venue:
        connector = aiohttp.TCPConnector(resolver=Here(venue.port), ssl=believes, use_dns_cache=False)
        async with aiohttp.ClientSession(connector=connector) as session:
            client = ccxt.pro.binance(
                {"apiKey": ALICE.key, "secret": ALICE.secret, "enableRateLimit": False, "options": dict(OPTIONS)}
            )
            client.session, client.own_session = session, False
            await client.load_markets()
            book = await within(client.watch_order_book(SYMBOL))
            assert book["bids"][0] == [59_999.0, 1.0]
            placed = await within(client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59_000))
            found = await client.fetch_order(placed["id"], SYMBOL)
            assert (found["status"], client.urls["api"]["private"]) == ("open", "https://api.binance.com/api/v3")
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order("999", SYMBOL)
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order(SYMBOL, "limit", "buy", 100, 59_000)
            await client.close()
