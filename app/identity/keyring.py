"""Encryption at rest: a ring of named keys, AES-256-GCM, one derived key for each purpose. It stores nothing.

A sealed text is `v1.<key id>.<base64url of nonce and ciphertext>`. Key id, purpose and context are associated data: a
text moved to another row, person, purpose or version does not open. The first key writes; the others only read.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.domain.errors import BadSettings, Tampered

VERSION = "v1"
KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


class UnknownKey(Tampered):
    """What is stored was encrypted with a key that is not in PIM_KEYS. It opens again when the key comes back."""


class Keyring:
    """Named keys, newest first."""

    def __init__(self, keys: Mapping[str, bytes], random: Callable[[int], bytes] = os.urandom) -> None:
        """`keys`: key id -> 32 bytes, the writing one first. `random`: n -> n unpredictable bytes."""
        self._keys = dict(keys)
        self._random = random
        self._made: dict[tuple[str, str], bytes] = {}

    def __repr__(self) -> str:
        """Key ids only."""
        return f"Keyring({', '.join(self._keys)})"

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read `k2:<base64url of 32 bytes>,k1:...`; BadSettings says what is wrong without repeating any key."""
        keys: dict[str, bytes] = {}
        for position, entry in enumerate(text.split(","), start=1):
            name, key = _entry(entry.strip(), position)
            if name in keys:
                raise BadSettings(f"PIM_KEYS names the key {name} twice.")
            keys[name] = key
        if len(set(keys.values())) != len(keys):
            raise BadSettings("PIM_KEYS holds the same key under two names.")
        return cls(keys)

    @property
    def names(self) -> tuple[str, ...]:
        """Key ids, the writing one first."""
        return tuple(self._keys)

    def seal(self, purpose: str, context: str, plain: str) -> str:
        """Encrypt with the first key; it opens only for the same purpose and context."""
        name = self.names[0]
        nonce = self._random(NONCE_BYTES)
        sealed = AESGCM(self._derived(name, purpose)).encrypt(nonce, plain.encode(), _bound(name, purpose, context))
        return f"{VERSION}.{name}.{_encode(nonce + sealed)}"

    def open(self, purpose: str, context: str, sealed: str) -> str:
        """Decrypt; Tampered for anything that was not sealed here for exactly this purpose and context.

        UnknownKey, a Tampered too, when no key of the ring has the name that the text carries.
        """
        name, payload = _split(sealed)
        if name not in self._keys:
            raise UnknownKey(f"The key {name} that sealed this is not in PIM_KEYS any more.")
        nonce, body = payload[:NONCE_BYTES], payload[NONCE_BYTES:]
        try:
            plain = AESGCM(self._derived(name, purpose)).decrypt(nonce, body, _bound(name, purpose, context))
            return plain.decode()
        except (InvalidTag, UnicodeDecodeError):
            raise Tampered from None

    def chain_key(self) -> bytes:
        """The key of the audit chain: 32 bytes, derived from the last key of the ring.

        A rotation puts a new key in front, so the last one stays what it was and old rows go on verifying. It is
        derived and not stored because whoever can write the database must not be able to make it. The price: the
        last key must stay in PIM_KEYS, last, for as long as the trail is to be verified, even when nothing is
        sealed with it any more.
        """
        return self._derived(self.names[-1], "audit chain")

    def _derived(self, name: str, purpose: str) -> bytes:
        if (name, purpose) not in self._made:
            info = f"pim-approvals {VERSION} {purpose}".encode()
            derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._keys[name])
            self._made[name, purpose] = derived
        return self._made[name, purpose]


def key_name(sealed: str) -> str:
    """The id of the key that sealed this, as it says itself; empty when it is no sealed text."""
    try:
        return _split(sealed)[0]
    except Tampered:
        return ""


def _bound(name: str, purpose: str, context: str) -> bytes:
    # JSON, so that no two different triples are the same bytes.
    return json.dumps([VERSION, name, purpose, context]).encode()


def _split(sealed: str) -> tuple[str, bytes]:
    parts = sealed.split(".")
    if len(parts) != 3 or parts[0] != VERSION:  # noqa: PLR2004 - version, key id, payload
        raise Tampered
    payload = _decode(parts[2])
    if payload is None or len(payload) < NONCE_BYTES + TAG_BYTES:
        raise Tampered
    return parts[1], payload


def _entry(entry: str, position: int) -> tuple[str, bytes]:
    name, colon, value = entry.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise BadSettings(
            f"Entry {position} of PIM_KEYS is not `name:key`; a name is up to 16 letters, digits, - or _."
        )
    key = _decode(value.rstrip("="))
    if key is None or len(key) != KEY_BYTES:
        raise BadSettings(f"The key {name} in PIM_KEYS is not the base64url text of {KEY_BYTES} bytes.")
    return name, key


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    # Strict: one text for one value, so that a sealed text cannot be altered and still open.
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _encode(data) == text else None


_NAME = re.compile(r"[A-Za-z0-9_-]{1,16}")
