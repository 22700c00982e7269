"""How the bot proves to Entra that it is the bot: a secret, a certificate, or a token of the platform it runs on.

What it gives is what MSAL calls a client credential. It reads files and speaks no HTTP; nothing of a file's content
ever gets into an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from app.domain.errors import BadSettings, Unavailable

Credential = str | Mapping[str, object]

WEAKEST = 2048  # bits of an RSA key
LONGEST_FILE = 65_536  # bytes of a certificate file or a token


def certificate(path: Path, passphrase: str, now: datetime) -> Credential:
    """The credential in a PEM file that holds a private key and its certificate, in any order, also with its chain.

    `passphrase`: empty when the key is not encrypted; `now`: aware UTC, to judge the certificate's dates. BadSettings
    with one sentence, without a full stop, says what is wrong. MSAL signs with PS256 and the SHA-256 thumbprint.
    """
    pem = _content(path)
    key = _private_key(pem, passphrase)
    leaf = _belonging(key, pem)
    if leaf.not_valid_after_utc <= now:
        raise BadSettings(f"the certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}")
    if leaf.not_valid_before_utc > now:
        raise BadSettings(f"the certificate is valid only from {leaf.not_valid_before_utc:%Y-%m-%d}")
    # Decrypted once here: MSAL would do it again for every call.
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return {"private_key": plain, "public_certificate": leaf.public_bytes(Encoding.PEM).decode("ascii")}


def federated(path: Path) -> Credential:
    """The credential of workload identity federation: the platform renews the file, so it is read for every token.

    BadSettings when there is nothing to read now; asking for a token raises Unavailable when there is nothing later.
    """
    _token_in(path)

    def assertion() -> str:
        try:
            return _token_in(path)
        except BadSettings:
            raise Unavailable("The bot's own federated token cannot be read; an administrator must look.") from None

    return {"client_assertion": assertion}


def chosen(options: Sequence[tuple[str, Callable[[], Credential] | None]]) -> Credential:
    """The one credential that is set. `options`: variable names, each with how to read it, None when it is not set.

    BadSettings: none of them, more than one, or what is wrong with the one.
    """
    names = [name for name, read in options if read is not None]
    if not names:
        raise BadSettings(f"{options[0][0]} is missing")
    if len(names) > 1:
        raise BadSettings(f"{', '.join(names[:-1])} and {names[-1]} are set, but only one may be")
    (name,) = names
    (read,) = [read for _, read in options if read is not None]
    try:
        return read()
    except BadSettings as problem:
        raise BadSettings(f"{name}: {problem}") from None


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except OSError as problem:
        raise BadSettings(f"the file {path} cannot be read ({problem.strerror or 'no file'})") from None
    if len(content) > LONGEST_FILE:
        raise BadSettings(f"the file {path} is too large to be what is needed here")
    return content


def _token_in(path: Path) -> str:
    try:
        token = _content(path).decode("ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if token.count(".") != 2:  # noqa: PLR2004 - header, claims and signature of a JWT
        raise BadSettings(f"the file {path} holds no token")
    return token


def _private_key(pem: bytes, passphrase: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem, passphrase.encode() or None)
    except TypeError:  # how cryptography says that a passphrase lacks, or that there is nothing to use it on
        lacking = "is encrypted: give its passphrase" if not passphrase else "is not encrypted: give no passphrase"
        raise BadSettings(f"the private key {lacking}") from None
    except (ValueError, UnsupportedAlgorithm):
        reason = " that this passphrase opens" if passphrase else ""
        raise BadSettings(f"there is no private key in the file{reason}") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < WEAKEST:
        raise BadSettings(f"the private key is not an RSA key of {WEAKEST} bits or more, and Entra takes no other")
    return key


def _belonging(key: RSAPrivateKey, pem: bytes) -> x509.Certificate:
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise BadSettings("there is no certificate in the file, only a key") from None
    ours = key.public_key()
    for certificate_ in found:
        if certificate_.public_key() == ours:
            return certificate_
    raise BadSettings("the certificate in the file does not belong to its private key")
