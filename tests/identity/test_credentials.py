"""What proves the bot to Entra: a secret, a certificate, a federated token. Every mistake in a file is one sentence."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest
from certificates import NOW, YEAR, certificate_of, certificate_pem, key_pem, rsa_key
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fakes_identity import CLIENT, KEYS, TENANT, FakeClock, FakeLinks, Providers, make_entra

from app.domain.errors import BadSettings, Unavailable
from app.identity.credentials import Credential, certificate, chosen, federated
from app.identity.entra import Entra, Registration
from app.identity.keyring import Keyring
from app.identity.msal_http import LoginHttp
from app.identity.origins import Origins
from app.identity.tokens import MicrosoftTokens

TOKEN_ENDPOINT = f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"
POLLER = "77777777-8888-4777-8666-555555555555"


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "credential"
        path.write_bytes(content)
        return path

    return write


Write = Callable[[bytes], Path]


@pytest.fixture
def providers() -> Providers:
    return Providers(FakeClock())


def tokens(providers: Providers, credential: Credential, poller: Registration | None = None) -> MicrosoftTokens:
    http = LoginHttp(Origins(), httpx.MockTransport(providers))
    entra = Entra(Registration(TENANT, CLIENT, credential), http, poller)
    return MicrosoftTokens(entra, FakeLinks(), Keyring.parse(KEYS), providers.clock)


# Certificates


@pytest.mark.parametrize("first", ["key", "certificate"])
@pytest.mark.parametrize("passphrase", ["", "canary phrase"])
async def test_a_certificate_signs_an_assertion_that_entra_can_check(
    providers: Providers, file: Write, passphrase: str, first: str
) -> None:
    key = rsa_key()
    parts = [key_pem(key, passphrase), certificate_pem(key)]
    path = file(b"\n".join(parts if first == "key" else reversed(parts)))
    assert await tokens(providers, certificate(path, passphrase, NOW)).application()() == "canary-own"
    (form,) = providers.forms
    claims = jwt.decode(form["client_assertion"], key.public_key(), ["PS256"], audience=TOKEN_ENDPOINT)
    assert (claims["iss"], claims["sub"], "client_secret" in form) == (CLIENT, CLIENT, False)
    thumbprint = base64.urlsafe_b64encode(certificate_of(key).fingerprint(SHA256())).decode().rstrip("=")
    assert jwt.get_unverified_header(form["client_assertion"])["x5t#S256"].rstrip("=") == thumbprint


async def test_with_its_chain_the_certificate_of_the_key_is_the_one(providers: Providers, file: Write) -> None:
    other, key = rsa_key(number=1), rsa_key()
    path = file(certificate_pem(other) + certificate_pem(key) + key_pem(key))
    proof = certificate(path, "", NOW)
    assert not isinstance(proof, str)
    assert str(proof["public_certificate"]).encode() == certificate_pem(key)
    assert await tokens(providers, proof).application()() == "canary-own"


WRONG: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "", "there is no private key in the file"),
    "no PEM": (lambda: b"canary", "", "there is no private key in the file"),
    "no key": (lambda: certificate_pem(rsa_key()), "", "there is no private key in the file"),
    "no certificate": (lambda: key_pem(rsa_key()), "", "there is no certificate in the file, only a key"),
    "a stranger's certificate": (
        lambda: key_pem(rsa_key()) + certificate_pem(rsa_key(number=1)),
        "",
        "the certificate in the file does not belong to its private key",
    ),
    "expired": (
        lambda: key_pem(rsa_key()) + certificate_pem(rsa_key(), NOW - YEAR, NOW),
        "",
        "the certificate expired on 2026-06-01",
    ),
    "not begun": (
        lambda: key_pem(rsa_key()) + certificate_pem(rsa_key(), NOW + timedelta(days=1)),
        "",
        "the certificate is valid only from 2026-06-02",
    ),
    "encrypted": (
        lambda: key_pem(rsa_key(), "canary") + certificate_pem(rsa_key()),
        "",
        "the private key is encrypted: give its passphrase",
    ),
    "another passphrase": (
        lambda: key_pem(rsa_key(), "canary") + certificate_pem(rsa_key()),
        "canary-2",
        "there is no private key in the file that this passphrase opens",
    ),
    "a needless passphrase": (
        lambda: key_pem(rsa_key()) + certificate_pem(rsa_key()),
        "canary",
        "the private key is not encrypted: give no passphrase",
    ),
    "an elliptic key": (
        lambda: key_pem(ec.generate_private_key(ec.SECP256R1())),
        "",
        "the private key is not an RSA key of 2048 bits or more, and Entra takes no other",
    ),
    "a weak key": (
        lambda: key_pem(rsa_key(1024)) + certificate_pem(rsa_key(1024)),
        "",
        "the private key is not an RSA key of 2048 bits or more, and Entra takes no other",
    ),
}


@pytest.mark.parametrize("make, passphrase, sentence", WRONG.values(), ids=WRONG.keys())
def test_a_certificate_file_that_will_not_do_is_told_in_a_sentence(
    file: Write, make: Callable[[], bytes], passphrase: str, sentence: str
) -> None:
    with pytest.raises(BadSettings) as told:
        certificate(file(make()), passphrase, NOW)
    assert str(told.value) == sentence


@pytest.mark.parametrize("name", ["nowhere.pem", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for read in (lambda: certificate(path, "", NOW), lambda: federated(path)):
        with pytest.raises(BadSettings, match="cannot be read"):
            read()


def test_a_file_without_end_is_not_read_to_its_end(file: Write) -> None:
    with pytest.raises(BadSettings, match="too large"):
        certificate(file(b"x" * 100_000), "", NOW)


# Workload identity federation


def platform_token(word: str) -> str:
    return jwt.encode({"sub": word}, rsa_key(), "RS256")


async def test_a_federated_token_is_read_anew_for_every_token(providers: Providers, file: Write) -> None:
    path = file(platform_token("first").encode() + b"\n")
    providers.life = 1
    source = tokens(providers, federated(path)).application()
    await source()
    path.write_text(platform_token("second"), encoding="ascii")
    await source()
    assert [form["client_assertion"] for form in providers.forms] == [platform_token("first"), platform_token("second")]
    assert all("client_secret" not in form for form in providers.forms)


async def test_a_federated_token_that_vanished_is_an_outage_that_asks_for_an_administrator(
    providers: Providers, file: Write
) -> None:
    path = file(platform_token("x").encode())
    source = tokens(providers, federated(path)).application()
    path.unlink()
    with pytest.raises(Unavailable, match="administrator"):
        await source()
    assert providers.forms == []


@pytest.mark.parametrize("content", [b"", b"\n", b"a secret", b"a.b", b"a.b.c.d", "á.b.c".encode()])
def test_a_file_without_a_token_is_refused_at_the_start(file: Write, content: bytes) -> None:
    with pytest.raises(BadSettings, match="holds no token"):
        federated(file(content))


async def test_the_platforms_own_variable_is_not_read(
    monkeypatch: pytest.MonkeyPatch, providers: Providers, file: Write
) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file(platform_token("x").encode())))
    await tokens(providers, "canary-secret").application()()
    assert ("client_assertion" in providers.forms[0], providers.forms[0]["client_secret"]) == (False, "canary-secret")


# Which of them


def test_exactly_one_credential_is_chosen() -> None:
    assert chosen([("A", None), ("B", lambda: "secret")]) == "secret"
    with pytest.raises(BadSettings, match=r"^A is missing$"):
        chosen([("A", None), ("B", None)])
    with pytest.raises(BadSettings, match="A and B are set, but only one may be"):
        chosen([("A", lambda: "1"), ("B", lambda: "2")])


# Two registrations


async def test_the_poller_asks_for_application_tokens_and_people_sign_in_elsewhere(providers: Providers) -> None:
    poller = Registration(TENANT, POLLER, "poller-secret")
    http = LoginHttp(Origins(), httpx.MockTransport(providers))
    entra = Entra(Registration(TENANT, CLIENT, "approvals-secret"), http, poller)
    await MicrosoftTokens(entra, FakeLinks(), Keyring.parse(KEYS), providers.clock).application()()
    (form,) = providers.forms
    assert (form["client_id"], form["client_secret"]) == (POLLER, "poller-secret")
    assert (entra.registration.client_id, entra.poller.client_id) == (CLIENT, POLLER)


async def test_without_a_poller_the_one_registration_does_both(providers: Providers) -> None:
    entra = make_entra(providers)
    await MicrosoftTokens(entra, FakeLinks(), Keyring.parse(KEYS), providers.clock).application()()
    assert providers.forms[0]["client_id"] == CLIENT
    assert entra.poller is entra.registration


async def test_a_pollers_token_outlives_an_outage(providers: Providers) -> None:
    providers.life = 200  # MSAL gives a token up five minutes before its end
    source = tokens(providers, "x", Registration(TENANT, POLLER, "poller-secret")).application()
    await source()
    providers.answers += [httpx.Response(503), httpx.Response(503)]
    assert await source() == "canary-own"
    assert len(providers.forms) > 1


def test_no_credential_is_shown() -> None:
    assert "canary" not in repr(Registration(TENANT, CLIENT, {"private_key": "canary"}))
