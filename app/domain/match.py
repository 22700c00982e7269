"""How a requestor was found in Slack, as a value. It serves telling and refusing, never reading or allowing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """From the surest to the least known. Only SIGNED_IN is proven."""

    SIGNED_IN = "signed_in"
    BY_ALIAS = "by_alias"
    BY_MAIL = "by_mail"
    NOT_IN_SLACK = "not_in_slack"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Match:
    """The Slack account of a requestor; empty where there is none or nobody knows.

    `everyday` is the sign-in name that an alias led to, for BY_ALIAS only. UNKNOWN: Slack could not be asked yet.
    """

    how: How = How.UNKNOWN
    slack_user: str = ""
    everyday: str = ""
