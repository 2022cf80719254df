"""Content identifiers: which bytes, by their hash, and how to read them, by their codec.

Two forms exist: version 0 is a bare sha2-256 multihash of a dag-pb node, written ``Qm…``; version 1 names
everything and is written in base32. This module computes no hashes: a digest comes from whoever held the
bytes.
"""

from __future__ import annotations

import base64
import binascii
import builtins
from dataclasses import dataclass, field
from typing import Final

from textile_aio._codec import multibase, multihash, varint
from textile_aio.errors import InvalidEncoding

RAW: Final = 0x55
DAG_PB: Final = 0x70
DAG_CBOR: Final = 0x71
LIBP2P_KEY: Final = 0x72

_V0_SIZE = 34

# What nearly every CID looks like; directories hold thousands of them, so they have a short way in and out.
_USUAL_BYTES: Final = (b"\x01\x55\x12\x20", b"\x01\x70\x12\x20")
_USUAL_SIZE = 36
_USUAL_TEXT: Final = ("bafkrei", "bafybei")
_USUAL_LENGTH = 59
_ENDS_WITHOUT_REST = "aeimquy4"
_BYTE: Final = tuple(map(varint.encode, range(0x80)))


@dataclass(frozen=True, slots=True)
class Cid:
    """One content identifier. Equal when version, codec and multihash are equal; hashable; ``str`` is cached.

    Attributes:
        version: 0 or 1.
        codec: Multicodec of the content, such as ``RAW`` or ``DAG_PB``; always ``DAG_PB`` in version 0.
        multihash: Hash function, length and digest.
    """

    version: int
    codec: int
    multihash: builtins.bytes
    _text: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.version == 0:
            if (
                self.codec != DAG_PB
                or len(self.multihash) != _V0_SIZE
                or not self.multihash.startswith(multihash.SHA2_256_PREFIX)
            ):
                raise InvalidEncoding("a version 0 CID is a sha2-256 hash of a dag-pb node")
        elif self.version == 1:
            if len(self.multihash) != _V0_SIZE or not self.multihash.startswith(multihash.SHA2_256_PREFIX):
                multihash.decode(self.multihash)
        else:
            raise InvalidEncoding(f"expected 0 or 1 as the cid version number, got: {self.version}")

    @classmethod
    def sha256(cls, codec: int, digest: builtins.bytes, version: int = 1) -> Cid:
        """The identifier of content whose sha2-256 digest (32 bytes) is known.

        Raises:
            InvalidEncoding: The digest is not 32 bytes, or the version does not go with the codec.
        """
        if len(digest) != 32:
            raise InvalidEncoding(f"a sha2-256 digest has 32 bytes, got {len(digest)}")
        return cls(version, codec, multihash.SHA2_256_PREFIX + digest)

    @classmethod
    def parse(cls, text: str) -> Cid:
        """From text: ``Qm…``, or version 1 in any multibase.

        Raises:
            InvalidEncoding: The text is no CID.
        """
        if len(text) == _USUAL_LENGTH and text.startswith(_USUAL_TEXT) and text[-1] in _ENDS_WITHOUT_REST:
            try:
                data = base64.b32decode(text[1:].upper() + "======")
            except (binascii.Error, ValueError):
                pass  # the long way says what is wrong with it
            else:
                return cls(1, data[1], data[2:])
        if len(text) < 2:
            raise InvalidEncoding("cid too short")
        if len(text) == 46 and text.startswith("Qm"):
            return cls(0, DAG_PB, multibase.decode58(text))
        cid = cls.from_bytes(multibase.decode(text))
        if cid.version == 0:
            raise InvalidEncoding("a version 0 CID has no multibase prefix")
        return cid

    @classmethod
    def from_bytes(cls, data: builtins.bytes) -> Cid:
        """From the binary form, which must be all of ``data``.

        Raises:
            InvalidEncoding: The bytes are no CID, or something follows it.
        """
        if len(data) == _USUAL_SIZE and data.startswith(_USUAL_BYTES):
            # What the checks of a new value would find is known, and takes most of the time.
            cid = _new(cls)
            _set_version(cid, 1)
            _set_codec(cid, data[1])
            _set_multihash(cid, bytes(data[2:]))
            _set_text(cid, "")
            return cid
        if len(data) == _V0_SIZE and data.startswith(multihash.SHA2_256_PREFIX):
            return cls(0, DAG_PB, bytes(data))
        version, at = varint.decode(data)
        if version != 1:
            raise InvalidEncoding(f"expected 1 as the cid version number, got: {version}")
        codec, at = varint.decode(data, at)
        return cls(1, codec, bytes(data[at:]))

    @property
    def digest(self) -> builtins.bytes:
        """The hash alone."""
        return multihash.decode(self.multihash)[1]

    @property
    def bytes(self) -> builtins.bytes:
        """The binary form."""
        if self.version == 0:
            return self.multihash
        codec = self.codec
        return b"".join((b"\x01", _BYTE[codec] if codec < 0x80 else varint.encode(codec), self.multihash))

    def __bytes__(self) -> builtins.bytes:
        return self.bytes

    def __str__(self) -> str:
        if not self._text:
            text = multibase.encode58(self.multihash) if self.version == 0 else multibase.encode(self.bytes)
            object.__setattr__(self, "_text", text)
        return self._text


# The slots' own setters: a frozen value refuses to be filled in any other way.
_new = object.__new__
_set_version, _set_codec, _set_multihash, _set_text = (
    vars(Cid)[name].__set__ for name in ("version", "codec", "multihash", "_text")
)
