"""Calls over TLS, and over the wrong one of plain text and TLS."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpclib.server import Server

from tests.rpc.leaks import nothing_left
from tests.rpc.service import CTX, ECHO, BytesCodec, Service, channel, port_of
from textile_aio import errors
from textile_aio._rpc.channel import Channel
from textile_aio._rpc.retry import RetryPolicy
from textile_aio._rpc.target import Target


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test hub")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "hub.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
async def tls_port(certificate: Path) -> AsyncIterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2"])
    server = Server([Service()], codec=BytesCodec())
    await server.start("127.0.0.1", 0, ssl=context)
    yield port_of(server)
    server.close()
    await server.wait_closed()


async def test_calls_pass_over_tls_with_a_trusted_certificate(certificate: Path, tls_port: int) -> None:
    trusting = ssl.create_default_context(cafile=certificate)
    trusting.set_alpn_protocols(["h2"])
    target = Target("127.0.0.1", tls_port, tls=True)
    async with nothing_left(), Channel(target, codec=BytesCodec(), ssl_context=trusting) as ch:
        for size in (0, 100, 1_000_000):
            assert await ch.unary(ECHO, bytes(size), CTX) == bytes(size)


async def test_a_certificate_nobody_vouches_for_is_refused(tls_port: int) -> None:
    target = Target("127.0.0.1", tls_port, tls=True)
    async with nothing_left(), Channel(target, codec=BytesCodec()) as ch:
        with pytest.raises(errors.ProtocolError, match="self-signed certificate") as caught:
            await ch.unary(ECHO, b"", CTX)
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


async def test_plain_text_to_a_tls_port_fails_in_time(tls_port: int) -> None:
    async with nothing_left(), channel(tls_port) as ch:
        with pytest.raises((errors.ProtocolError, errors.Unavailable)):
            await ch.unary(ECHO, b"", CTX, timeout=20)


async def test_tls_to_a_plain_text_port_fails_in_time(unused_tcp_port: int) -> None:
    server = Server([Service()], codec=BytesCodec())
    await server.start("127.0.0.1", unused_tcp_port)
    target = Target("127.0.0.1", unused_tcp_port, tls=True)
    async with Channel(target, codec=BytesCodec(), retry=RetryPolicy.none()) as ch:
        with pytest.raises((errors.ProtocolError, errors.Unavailable)):
            await ch.unary(ECHO, b"", CTX, timeout=20)
    server.close()
    await server.wait_closed()
