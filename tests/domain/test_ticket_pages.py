"""A ticket's address: only the company's words around the number, and only a number of the right form in it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.policy import Policy
from app.domain.request import Ticket
from app.domain.risk import RiskPolicy
from app.domain.ticket_pages import page_of, ticket_page
from app.domain.tickets import ticket_form

PAGE = "https://tickets.example/browse?id={number}&x=1"
FORMS = {"jira": ticket_form(r"[A-Z]{2,10}-\d{1,6}"), "odd": ticket_form(r"[^x]{1,40}")}
PAGES = {"jira": PAGE, "odd": PAGE, "formless": PAGE}


def test_a_number_of_the_right_form_becomes_part_of_the_address() -> None:
    assert page_of(Ticket(" OPS-17 ", "Jira"), FORMS, PAGES) == "https://tickets.example/browse?id=OPS-17&x=1"


@pytest.mark.parametrize("number", ["OPS-17x", "OPS-17&a=1", "OPS-17\nx", "", "see OPS-17", "OPS-1\u0667"])
def test_anything_else_does_not(number: str) -> None:
    assert page_of(Ticket(number, "Jira"), FORMS, PAGES) == ""


def test_a_system_without_a_form_or_without_a_page_has_none() -> None:
    assert page_of(Ticket("OPS-17", "formless"), FORMS, PAGES) == ""
    assert page_of(Ticket("OPS-17", "Jira"), FORMS, {}) == ""


@given(st.text(min_size=1, max_size=40))
def test_whatever_fits_stays_one_value_on_the_same_host(number: str) -> None:
    page = page_of(Ticket(number, "odd"), FORMS, PAGES)
    if not page:
        return
    parts = urlsplit(page)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "tickets.example", "/browse", "")
    first, second = parts.query.split("&")
    assert (unquote(first.removeprefix("id=")), second) == (number.strip(), "x=1")


def test_any_system_is_the_last_resort() -> None:
    policy = Policy(risk=RiskPolicy(tickets={"*": FORMS["jira"]}), ticket_pages={"*": PAGE})
    assert policy.ticket_facts(Ticket("OPS-17", "whatever")).url.endswith("id=OPS-17&x=1")


@pytest.mark.parametrize(
    "page",
    [
        "http://tickets.example/{number}",
        "https://tickets.example/",
        "https://tickets.example/{number}/{number}",
        "https://{number}.example/x",
        "https://tickets.example",
        "https://me@tickets.example/{number}",
        "https://tickets.example/<{number}>",
        "https://tickets.example/a|{number}",
        "https://tickets.example/a {number}",
        "javascript:{number}",
        "https://tickets.example/{id}/{number}",
        "https://tickets.example/" + "a" * 1000 + "{number}",
    ],
)
def test_what_is_no_address_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match=r"must hold|no address"):
        ticket_page(page)
