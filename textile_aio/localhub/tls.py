"""The certificate of the hub's doors.

Owns how it is read, and which one a new connection gets. Refuses to know doors: they ask each time.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from textile_aio._rpc.listening import TlsSource
from textile_aio.errors import CertificateInvalid

GRPC, HTTP = "h2", "http/1.1"
"""The protocols of the doors, as TLS calls them (RFC 7301)."""

# RFC 9113 §9.2.2 allows these of TLS 1.2; all of TLS 1.3 are allowed.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the certificate of a hub is. Both are read when the hub starts and whenever it is told to.

    Attributes:
        certificate: PEM file of the certificate, followed by those of its issuers.
        key: PEM file of its private key, without a password.
    """

    certificate: str | os.PathLike[str]
    key: str | os.PathLike[str]


class Certificates:
    """The certificate that is in use.

    Making one reads files, and so does :meth:`reload`: both belong in a thread.

    Raises:
        CertificateInvalid: They cannot be read, or are not what they should be.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._contexts = _load(files)

    def reload(self) -> None:
        """Read the files again, for connections that are made from now on.

        Raises:
            CertificateInvalid: They cannot be used; what was in use stays so.
        """
        self._contexts = _load(self._files)

    def source(self, alpn: str) -> TlsSource:
        """Gives what a new connection is encrypted with, by the protocol that is spoken there."""
        return lambda: self._contexts[alpn]


def _load(files: TlsFiles) -> dict[str, ssl.SSLContext]:
    try:
        for file in (files.certificate, files.key):
            Path(file).open("rb").close()  # the error of OpenSSL does not say which one it is
        return {alpn: _context(files, alpn) for alpn in (GRPC, HTTP)}
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "reason", None) or str(error)
        raise CertificateInvalid(
            f"cannot use the certificate {os.fspath(files.certificate)} with the key "
            f"{os.fspath(files.key)}: {reason}"
        ) from error


def _context(files: TlsFiles, alpn: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9113 §9.2
    context.options |= ssl.OP_NO_RENEGOTIATION  # which costs a server more than its peer
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols([alpn])
    # A password would be asked for on the terminal.
    context.load_cert_chain(files.certificate, files.key, password=_none)
    return context


def _none() -> str:
    return ""
