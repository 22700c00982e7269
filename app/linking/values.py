"""What the sign-in pages hand on and say. Values and sentences only; nothing here is ever stored."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.request import Person
from app.ports import Link


@dataclass(frozen=True, slots=True)
class Going:
    """The browser goes to sign in with Slack, carrying this cookie from now on."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class SlackProven:
    """Slack said who sits there; the browser goes on to Microsoft."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Confirm:
    """Both accounts are proven; linked they become by a press on the button that carries `token`.

    `link` is what would then be stored; `waiting` names the decision that this sign-in was asked for, if one was.
    """

    token: str
    slack_name: str
    link: Link
    waiting: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """It is done; `waiting` names the decision to be finished now, if there is one."""

    link: Link
    slack_name: str
    waiting: str = ""


def named(person: Person) -> str:
    """A person as a page names them: name, and the sign-in name where it says more."""
    return f"{person.label} ({person.upn})" if person.upn and person.upn != person.label else person.label


def taken(person: Person) -> str:
    """The Microsoft account belongs to another Slack account."""
    return (
        f"The Microsoft account {named(person)} is already linked to another Slack account. Nothing was changed. "
        "From that Slack account type /pim sign-out first, then sign in here again."
    )


def linked_elsewhere(linked: Person, came: Person) -> str:
    """The Slack account belongs to another Microsoft account."""
    return (
        f"Your Slack account is linked to {named(linked)}, and you signed in as {named(came)}. Nothing was changed. "
        "Sign in with the linked account, or type /pim sign-out in Slack first."
    )


AGAIN = "Nothing was changed. Type /pim sign-in in Slack to start again."
TOO_OLD = f"This sign-in page is too old, or was already used. {AGAIN}"
FORWARDED = (
    "You signed in to Slack with another account than the one that asked for this link. Nothing was changed. If "
    "somebody sent you the link, do not use it: it would have put your Microsoft account under their name. To link "
    "your own accounts, type /pim sign-in in Slack yourself."
)
FROZEN_SINCE = (
    "This sign-in began before the link of your Slack account was frozen, so it does not end the freeze. Nothing was "
    "changed. Type /pim sign-in in Slack to start again."
)
NO_COOKIE = (
    "This browser did not bring back the cookie that holds the pages of one sign-in together. Nothing was changed. "
    "Use one window of a current Chrome, Edge, Firefox or Safari from start to end, not in private mode, with cookies "
    "allowed for this address; then type /pim sign-in in Slack to start again."
)
