"""Ciphertext opens only where it was sealed, and keys can be rotated."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadSettings, Tampered
from app.identity.keyring import Keyring


def key(letter: str, length: int = 32) -> str:
    return base64.urlsafe_b64encode(letter.encode() * length).decode().rstrip("=")


OLD = Keyring.parse(f"k1:{key('a')}")
BOTH = Keyring.parse(f"k2:{key('b')},k1:{key('a')}")
NEW = Keyring.parse(f"k2:{key('b')}")


@given(st.text(), st.text())
def test_what_was_sealed_opens_again(plain: str, context: str) -> None:
    assert BOTH.open("cache", context, BOTH.seal("cache", context, plain)) == plain


def test_two_seals_of_one_text_differ() -> None:
    assert BOTH.seal("cache", "ann", "x") != BOTH.seal("cache", "ann", "x")


@pytest.mark.parametrize("purpose, context", [("cache", "ben"), ("flow", "ann"), ("cacheann", ""), ("cache", "ann/2")])
def test_a_text_moved_elsewhere_does_not_open(purpose: str, context: str) -> None:
    sealed = BOTH.seal("cache", "ann", "secret")
    with pytest.raises(Tampered):
        BOTH.open(purpose, context, sealed)


def test_any_changed_character_is_noticed() -> None:
    sealed = BOTH.seal("cache", "ann", "secret")
    for place, letter in enumerate(sealed):
        changed = sealed[:place] + ("A" if letter != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(Tampered):
            BOTH.open("cache", "ann", changed)


def test_any_truncation_is_noticed() -> None:
    sealed = BOTH.seal("cache", "ann", "secret")
    for length in range(len(sealed)):
        with pytest.raises(Tampered):
            BOTH.open("cache", "ann", sealed[:length])


@pytest.mark.parametrize(
    "odd", ["", "v1", "v1.k2", "v1.k2.", "v2.k2.AAAA", "v1.k2.####", "v1.k2.AAAA.AAAA", "v1..é", "\0"]
)
def test_what_was_never_sealed_does_not_open(odd: str) -> None:
    with pytest.raises(Tampered):
        BOTH.open("cache", "ann", odd)


def test_padding_or_line_ends_added_to_a_sealed_text_are_noticed() -> None:
    sealed = BOTH.seal("cache", "ann", "secret!")
    for extra in ("=", "==", "\n", " "):
        with pytest.raises(Tampered):
            BOTH.open("cache", "ann", sealed + extra)


def test_after_a_rotation_old_texts_open_and_new_ones_use_the_first_key() -> None:
    assert BOTH.open("cache", "ann", OLD.seal("cache", "ann", "x")) == "x"
    assert NEW.open("cache", "ann", BOTH.seal("cache", "ann", "x")) == "x"


def test_a_key_dropped_too_early_is_named() -> None:
    with pytest.raises(Tampered, match="k1"):
        NEW.open("cache", "ann", OLD.seal("cache", "ann", "x"))


def test_a_text_relabelled_to_another_key_does_not_open() -> None:
    with pytest.raises(Tampered):
        BOTH.open("cache", "ann", OLD.seal("cache", "ann", "x").replace("v1.k1.", "v1.k2."))


def test_the_audit_key_survives_a_rotation_and_is_no_sealing_key() -> None:
    assert OLD.chain_key() == BOTH.chain_key() != NEW.chain_key()
    assert OLD.chain_key() != b"a" * 32
    assert len(OLD.chain_key()) == 32


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "Entry 1"),
        ("k1", "Entry 1"),
        (key("a"), "Entry 1"),
        (f"k1:{key('a')},", "Entry 2"),
        (f"k.1:{key('a')}", "Entry 1"),
        (f"{'k' * 17}:{key('a')}", "Entry 1"),
        (f"k1:{key('a', 31)}", "32 bytes"),
        (f"k1:{key('a', 33)}", "32 bytes"),
        ("k1:" + "ä" * 43, "32 bytes"),
        (f"k1:{key('a')},k1:{key('b')}", "twice"),
        (f"k1:{key('a')},k2:{key('a')}", "same key"),
    ],
)
def test_wrong_settings_are_named_without_repeating_the_key(text: str, says: str) -> None:
    with pytest.raises(BadSettings, match=says) as caught:
        Keyring.parse(text)
    assert key("a") not in str(caught.value)


def test_keys_may_be_padded_and_spaced() -> None:
    ring = Keyring.parse(f" k2:{key('b')}= , k1:{key('a')}=")
    assert ring.names == ("k2", "k1")
    assert key("a") not in repr(ring)
    assert b"a" * 32 not in repr(ring).encode()
