"""Entra's refusals in plain sentences, and as failures of ours.

Only its error name and AADSTS number are read; its texts are never repeated. Whoever opens our callback address can
write any text into it, so nothing of it reaches a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.domain.challenges import valid_claims
from app.domain.errors import (
    BotError,
    ClaimsChallenge,
    ConsentMissing,
    DeviceDemanded,
    SignInFailed,
    SignInRequired,
    Unavailable,
)

CONSENT_MISSING = 65001
# OAuth errors that only the person can mend, by signing in again.
INTERACTION = "interaction_required"
SESSION_OVER = frozenset({"invalid_grant", INTERACTION, "login_required", "consent_required"})
DEVICE_DEMANDED = frozenset({53000, 53001, 53003})  # Conditional Access: not compliant, not joined, blocked
NOTHING = "Nothing was changed."
MANAGED = (
    "Your company's access rules let this sign-in through only from a managed device. Sign in from your work computer "
    "or phone, or decide in the portal from there."
)
AGAIN = "Type /pim sign-in in Slack to start again."


def refused(answer: Mapping[str, Any]) -> SignInFailed:
    """Why Microsoft's page or token call said no: an OAuth error as form fields or as JSON."""
    number = aadsts(answer)
    if number in DEVICE_DEMANDED:
        return DeviceDemanded(f"{MANAGED} {NOTHING}")
    if number in _SENTENCES:
        return SignInFailed(f"{_SENTENCES[number]} {NOTHING}")
    if answer.get("error") == "access_denied":
        return SignInFailed(f"You cancelled the sign-in at Microsoft. {NOTHING} {AGAIN}")
    named = f" (AADSTS{number})" if number else ""
    return SignInFailed(f"Microsoft refused the sign-in{named}. {NOTHING} {AGAIN}")


def no_token(answer: Mapping[str, Any], asked: str = "") -> BotError:
    """What it means that a token was refused with nobody asked. SignInRequired itself: their session is over.

    `asked`: the claims that were asked for. To be asked back is then no end of the session, but the want of a proof.
    """
    lacking = asked if answer.get("error") == INTERACTION else ""
    number, claims = aadsts(answer), valid_claims(answer.get("claims")) or lacking
    if number == CONSENT_MISSING:
        return ConsentMissing()
    if number in DEVICE_DEMANDED:
        return DeviceDemanded(MANAGED)
    if claims:
        return ClaimsChallenge(claims=claims)  # the session lives on; it lacks a proof
    if answer.get("error") not in SESSION_OVER:
        return Unavailable("Microsoft refuses the bot's own credential; an administrator must look.")
    return SignInRequired()


def aadsts(answer: Mapping[str, Any]) -> int:
    """Entra's error number, or 0."""
    codes = answer.get("error_codes")
    if isinstance(codes, list) and codes and isinstance(codes[0], int):
        return int(codes[0])
    found = _NUMBER.match(str(answer.get("error_description", "")))
    return int(found[1]) if found else 0


_NUMBER = re.compile(r"AADSTS([0-9]{4,8})\b")
_REGISTRATION = "Your administrator must fix the bot's app registration"
_SENTENCES = {
    CONSENT_MISSING: "An administrator has not consented yet to the permissions the bot asks for. Ask them to.",
    90094: "An administrator has not consented yet to the permissions the bot asks for. Ask them to.",
    65004: f"You did not agree to the permissions the bot asks for. {AGAIN}",
    50011: f"{_REGISTRATION}: its redirect address is not PIM_PUBLIC_URL followed by /sign-in/microsoft/callback.",
    500113: f"{_REGISTRATION}: it has no redirect address.",
    700016: f"{_REGISTRATION}: PIM_CLIENT_ID is not an application of this tenant.",
    7000215: f"{_REGISTRATION}: its client secret is wrong.",
    7000218: f"{_REGISTRATION}: it sent no client secret, so it may be set up as a public client.",
    7000222: f"{_REGISTRATION}: its client secret has expired.",
    700024: f"{_REGISTRATION}, or the clock of the bot's machine: what proves the bot was not valid at this time.",
    700027: f"{_REGISTRATION}: PIM_CLIENT_CERTIFICATE is not a certificate that was uploaded there.",
    **dict.fromkeys((70021, 700211, 700212, 700213), f"{_REGISTRATION}: no federated credential fits the bot's token."),
    50105: "You are not assigned to this application. Ask your administrator to assign it to you in Entra.",
    50020: "This Microsoft account is not in the company's directory. Use your work account.",
    50057: "This Microsoft account is disabled.",
    54005: f"This step of the sign-in was already used. {AGAIN}",
    70008: f"This step of the sign-in took too long. {AGAIN}",
}
