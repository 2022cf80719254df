"""One small service in raw bytes, served and called by our transport, by stock grpclib and by grpcio."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpclib.const import Cardinality, Handler
from grpclib.encoding.base import CodecBase

UNARY, PUSH, PULL, CHAT = "/t.Echo/Unary", "/t.Echo/Push", "/t.Echo/Pull", "/t.Echo/Chat"


class Raw(CodecBase):
    """Bytes are messages."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(message)

    def decode(self, data: Any, message_type: Any) -> bytes:
        return bytes(data)


class Echo:
    """Unary echoes, Push counts, Pull sends "size count" messages, Chat echoes each."""

    async def unary(self, stream: Any) -> None:
        await stream.send_message(await stream.recv_message())

    async def push(self, stream: Any) -> None:
        total = 0
        while (message := await stream.recv_message()) is not None:
            total += len(message)
        await stream.send_message(str(total).encode())

    async def pull(self, stream: Any) -> None:
        size, count = map(int, (await stream.recv_message()).split())
        for index in range(count):
            await stream.send_message(bytes([index % 256]) * size)

    async def chat(self, stream: Any) -> None:
        while (message := await stream.recv_message()) is not None:
            await stream.send_message(message)

    def __mapping__(self) -> dict[str, Handler]:
        return {
            UNARY: Handler(self.unary, Cardinality.UNARY_UNARY, bytes, bytes),
            PUSH: Handler(self.push, Cardinality.STREAM_UNARY, bytes, bytes),
            PULL: Handler(self.pull, Cardinality.UNARY_STREAM, bytes, bytes),
            CHAT: Handler(self.chat, Cardinality.STREAM_STREAM, bytes, bytes),
        }


async def unary(channel: Any, message: bytes) -> bytes:
    async with channel.request(UNARY, Cardinality.UNARY_UNARY, bytes, bytes) as stream:
        await stream.send_message(message, end=True)
        reply = await stream.recv_message()
    assert isinstance(reply, bytes)
    return reply


async def push(channel: Any, size: int, count: int) -> int:
    message = bytes(size)
    async with channel.request(PUSH, Cardinality.STREAM_UNARY, bytes, bytes) as stream:
        for _ in range(count):
            await stream.send_message(message)
        await stream.end()
        return int(await stream.recv_message())


async def pull(channel: Any, size: int, count: int) -> int:
    total = index = 0
    async with channel.request(PULL, Cardinality.UNARY_STREAM, bytes, bytes) as stream:
        await stream.send_message(f"{size} {count}".encode(), end=True)
        async for message in stream:
            assert message == bytes([index % 256]) * size
            total += len(message)
            index += 1
    return total


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_file, key_file


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a server and for a client that trusts it."""
    cert_file, key_file = certificate(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert_file, key_file)
    server.set_alpn_protocols(["h2"])
    client = ssl.create_default_context(cafile=str(cert_file))
    client.set_alpn_protocols(["h2"])
    return server, client
