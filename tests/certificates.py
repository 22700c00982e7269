"""Certificates and keys of our own making, for tests that sign in with one."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
NOW = datetime(2026, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


@functools.cache
def rsa_key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    """A key for the whole run; another number is another key."""
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def key_pem(key: Key, passphrase: str = "") -> bytes:
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def certificate_of(key: Key, start: datetime = NOW - YEAR, end: datetime = NOW + YEAR) -> x509.Certificate:
    """A self-signed certificate, as `openssl req -x509` makes it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pim-approvals")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    return builder.serial_number(7).not_valid_before(start).not_valid_after(end).sign(key, SHA256())


def certificate_pem(key: Key, start: datetime = NOW - YEAR, end: datetime = NOW + YEAR) -> bytes:
    return certificate_of(key, start, end).public_bytes(Encoding.PEM)
