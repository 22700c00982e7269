"""The sign-in pages as HTML text: pure functions of values, every value escaped. They run no script and load nothing.

`<main data-outcome>` says which page it is; the first form of a page is the way on.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from urllib.parse import parse_qsl, urlsplit

from app.decisions.values import Verify
from app.linking import Confirm, Linked, SlackProven
from app.ports import Link
from blocks.facts import length


def start_page(action: str) -> str:
    """The first page: what will happen, and the button that begins it."""
    return _page(
        "start",
        "Sign in to PIM Approvals",
        _steps(0),
        _text("You decide activation requests as yourself, so the bot must know both your accounts:"),
        "<ol><li>Sign in with Slack.</li><li>Sign in with Microsoft, with the account you use in PIM.</li>"
        "<li>Confirm that both are yours.</li></ol>",
        _text(
            "Go on only if you asked for this link yourself, with /pim sign-in or by pressing a button in Slack. "
            "Never use a link somebody sent you."
        ),
        _form("post", action, {}, "Continue with Slack"),
    )


def slack_page(proven: SlackProven) -> str:
    """Slack is done; the form leads to Microsoft."""
    parts = urlsplit(proven.address)
    return _page(
        "slack",
        "Next: Microsoft",
        _steps(1),
        f"<p>Slack says you are {_name(proven.name or 'signed in')}.</p>",
        _text("Now sign in with the Microsoft account you use in PIM."),
        _form("get", parts._replace(query="").geturl(), dict(parse_qsl(parts.query)), "Continue with Microsoft"),
    )


def confirm_page(confirm: Confirm, action: str) -> str:
    """Both accounts by name, and the one button that links them."""
    return _page(
        "confirm",
        "Are both of these you?",
        _steps(2),
        _accounts(confirm.slack_name, confirm.link),
        _text("What you decide in Slack will be sent to Microsoft as this account and recorded under its name."),
        _form("post", action, {"token": confirm.token}, "Link these two accounts"),
        _text("Not both yours? Close this page; nothing has been stored."),
    )


def linked_page(linked: Linked) -> str:
    """It is done."""
    return _page(
        "linked",
        "You are signed in",
        _steps(3),
        _accounts(linked.slack_name, linked.link),
        _text("Close this page and go back to Slack: you can decide requests right away."),
        _text("To end it, type /pim sign-out in Slack."),
    )


def failed_page(text: str, *, portal_url: str = "") -> str:
    """What went wrong, what was not changed, what to do next; `text` says all three."""
    portal = f'<p><a href="{escape(portal_url)}">Open the portal</a></p>' if portal_url else ""
    return _page("failed", "That did not work", _text(text), portal)


def finish_page(confirm: Confirm, verify: Verify, action: str) -> str:
    """What waits, in full, and the one button that sends it."""
    row, verdict = verify.row, verify.waiting.verdict
    request = row.request
    return _page(
        "finish",
        f"{verdict.value} this request?",
        _steps(2),
        _facts(
            ("You want to", _name(verdict.value)),
            ("Role", _name(request.role.label)),
            ("Requestor", _pair(request.requestor.label, request.requestor.upn or request.requestor.id)),
            ("Duration", _name(length(request.duration, request.duration_text))),
            ("Scope", _name(request.scope.label)),
            *((("Your comment", f"<bdi>{escape(verify.waiting.comment)}</bdi>"),) if verify.waiting.comment else ()),
        ),
        _form("post", action, {"token": confirm.token}, f"{verdict.value} as {confirm.link.person.label}"),
        _text(
            "Nothing was sent to Microsoft yet. Not what you wanted? Close this page; it is forgotten in ten minutes."
        ),
    )


def result_page(outcome: str, title: str, text: str, *, portal_url: str = "") -> str:
    """What became of a decision that waited for a sign-in."""
    portal = f'<p><a href="{escape(portal_url)}">Open the portal</a></p>' if portal_url else ""
    return _page(outcome, title, _text(text), portal)


def style_source() -> str:
    """The CSP source that allows the pages' one style element and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


def _page(outcome: str, title: str, *parts: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f'<body><main data-outcome="{outcome}"><h1>{escape(title)}</h1>{"".join(parts)}</main></body></html>'
    )


def _text(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _name(text: str) -> str:
    # <bdi> keeps a right-to-left name from turning around the words beside it.
    return f"<strong><bdi>{escape(text)}</bdi></strong>"


def _pair(name: str, address: str) -> str:
    return f"{_name(name or address)}<br><small><bdi>{escape(address)}</bdi></small>"


def _accounts(slack_name: str, link: Link) -> str:
    person = link.person
    slack, microsoft = _pair(slack_name, link.slack_user), _pair(person.name, person.upn or person.id)
    return _facts(("Slack", slack), ("Microsoft", microsoft))


def _facts(*facts: tuple[str, str]) -> str:
    """Names with values that are HTML already."""
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"


def _steps(done: int) -> str:
    marks = (' class="done"',) * done + (' aria-current="step"', "", "")
    items = "".join(f"<li{mark}>{word}</li>" for word, mark in zip(_STEPS, marks, strict=False))
    return f'<ul class="steps" aria-label="Steps">{items}</ul>'


def _form(method: str, action: str, fields: dict[str, str], button: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    return (
        f'<form method="{method}" action="{escape(action)}">{hidden}'
        f'<button type="submit">{escape(button)}</button></form>'
    )


_STEPS = ("Slack", "Microsoft", "Confirm")
_STYLE = """
:root{color-scheme:light dark;--page:#f4f4f7;--card:#fff;--ink:#1d1c1d;--soft:#5c5b5d;--line:#d9d9de;
--go:#1a56c4;--on:#fff}
@media(prefers-color-scheme:dark){:root{--page:#17181b;--card:#222529;--ink:#eceded;--soft:#a9abae;--line:#42464c;
--go:#8ab4f8;--on:#10223f}}
*{box-sizing:border-box}
body{margin:0;padding:1.5rem 1rem;background:var(--page);color:var(--ink);font:1.0625rem/1.55 system-ui,sans-serif}
main{max-width:30rem;margin:0 auto;padding:1.75rem;background:var(--card);border:1px solid var(--line);
border-radius:.75rem;overflow-wrap:anywhere}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}
ol{padding-left:1.4rem}
small,dt{color:var(--soft)}
dl{margin:1rem 0;border:1px solid var(--line);border-radius:.5rem}
dt{padding:.75rem 1rem 0;font-size:.875rem}
dd{margin:0;padding:0 1rem .75rem}
dd+dt{border-top:1px solid var(--line)}
.steps{display:flex;gap:.5rem;margin:0 0 1.25rem;padding:0;list-style:none;font-size:.875rem;color:var(--soft)}
.steps li{flex:1;padding-top:.4rem;border-top:.25rem solid var(--line)}
.steps .done,.steps [aria-current]{border-color:var(--go)}
.steps [aria-current]{color:var(--ink);font-weight:600}
.steps .done::after{content:" \\2713"}
button{width:100%;min-height:3rem;margin:.5rem 0;padding:.6rem 1rem;border:0;border-radius:.5rem;background:var(--go);
color:var(--on);font:inherit;font-weight:600;cursor:pointer}
button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
"""
