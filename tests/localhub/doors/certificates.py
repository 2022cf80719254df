"""An authority of our own, and certificates that it makes out."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from textile_aio.localhub import TlsFiles

_SIGNS = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Keeps its certificate in a folder, and makes out others there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of tests")])
        made = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_SIGNS, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.root = folder / "root.pem"
        self.root.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names: str, password: bytes | None = None) -> TlsFiles:
        """A certificate for names and addresses, in the place of the one before it."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = (
            self._builder(subject, key)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        files = self.files
        Path(files.certificate).write_bytes(made.public_bytes(serialization.Encoding.PEM))
        Path(files.key).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption(),
            )
        )
        return files

    @property
    def files(self) -> TlsFiles:
        """Where the latest certificate is."""
        return TlsFiles(self._folder / "hub.pem", self._folder / "hub.key")

    def trust(self, *alpn: str) -> ssl.SSLContext:
        """A client's view: nothing but what this authority has made out."""
        context = ssl.create_default_context(cafile=str(self.root))
        if alpn:
            context.set_alpn_protocols(list(alpn))
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


async def presented(target: str, context: ssl.SSLContext, name: str = "") -> str:
    """The first name of the certificate that a port presents to a new connection."""
    host, _, port = target.removeprefix("https://").rpartition(":")
    _, writer = await asyncio.open_connection(
        host.strip("[]"), int(port), ssl=context, server_hostname=name or host.strip("[]")
    )
    try:
        subject = writer.get_extra_info("peercert")["subject"]
        return str(dict(pair[0] for pair in subject)["commonName"])
    finally:
        writer.close()
