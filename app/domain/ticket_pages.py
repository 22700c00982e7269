"""Where a ticket can be read, as the company's policy says. It opens nothing and asks no ticket system.

A number comes from anybody who may ask for a role. So it becomes part of an address only where the company says how
its numbers look, only as a whole, and quoted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from app.domain.request import Ticket
from app.domain.tickets import ANY_SYSTEM, Patterns, form_of

PLACE = "{number}"
# Host and port are the company's own words: the number stands behind the first slash, once.
_PAGE = re.compile(r"https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?/[!-;=?-\[\]^-z~]*", re.ASCII)
LONGEST_PAGE = 1000  # characters

Pages = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What can be said of a ticket without asking its system.

    `url`: where it can be read, or empty; `fits`: whether the number has its system's form, None where nobody said how
    that looks.
    """

    url: str = ""
    fits: bool | None = None


UNCHECKED = TicketFacts()


def ticket_page(text: str) -> str:
    """An address with the place of the number in it; ValueError says why it is none."""
    if text.count(PLACE) != 1:
        raise ValueError(f"{text!r} must hold {PLACE} once")
    if len(text) > LONGEST_PAGE or not _PAGE.fullmatch(text.replace(PLACE, "0")) or PLACE in _origin(text):
        raise ValueError(f"{text!r} is no address; write https://host/path with {PLACE} behind the host")
    return text


def page_of(ticket: Ticket, forms: Patterns, pages: Pages) -> str:
    """The address of this ticket's page; empty where the policy has none, or the number has not the system's form."""
    form, page = form_of(ticket, forms), pages.get(ticket.system.strip().casefold()) or pages.get(ANY_SYSTEM)
    number = ticket.number.strip()
    if form is None or page is None or not form.fullmatch(number):
        return ""
    return page.replace(PLACE, quote(number, safe=""))


def _origin(text: str) -> str:
    return "/".join(text.split("/", 3)[:3])
