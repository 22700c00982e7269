"""The pages of the emulated Microsoft sign-in: person picker, self-submitting answer, error.

Plain HTML, made from values only.
"""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import Environment
from starlette.responses import HTMLResponse

from app.sandbox.people import Person

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>:root{color-scheme:light dark;--page:#f2f2f2;--card:#fff;--soft:#555;--line:#ccc;--here:#e8f1fb;--blue:#0067b8}
@media(prefers-color-scheme:dark){:root{--page:#15171a;--card:#202327;--soft:#abadb0;--line:#4a4e54;--here:#16324a;
--blue:#5ab4e8}}
body{font:16px/1.5 "Segoe UI",system-ui,sans-serif;background:var(--page);margin:0;padding:2rem 1rem}
main{background:var(--card);max-width:26rem;margin:auto;padding:2rem;box-shadow:0 2px 6px #0003;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin-top:0}small{color:var(--soft)}
button{display:block;width:100%;text-align:left;font:inherit;padding:.7rem;margin:.3rem 0;
color:inherit;background:var(--card);border:1px solid var(--line);cursor:pointer;overflow-wrap:anywhere}
button:hover,button:focus{background:var(--here);border-color:var(--blue)}</style></head>
<body><main>{% block main %}{% endblock %}</main></body></html>"""

_PICKER = """<h1>Pick an account</h1><p>to continue to PIM Approvals</p>
<form method="post" action="{{ action }}"><input type="hidden" name="request" value="{{ request }}">
{% for person in people %}
<button name="person" value="{{ person.id }}"{% if loop.first and hinted %} autofocus{% endif %}>
{{ person.name }}<br><small>{{ person.upn }}</small></button>
{% endfor %}<button name="cancel" value="1">Cancel</button></form>
<p><small>Emulated sign-in: no password is asked for.</small></p>"""

_FORM_POST = """<h1>Signed in</h1><p>Going back to the application.</p>
<form method="post" action="{{ action }}">
{% for name, value in fields %}<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}<noscript><button type="submit">Continue</button></noscript></form>
<script>document.forms[0].submit()</script>"""

_PROBLEM = """<h1>Sorry, but we're having trouble signing you in.</h1><p>{{ text }}</p>"""

_PAGES = Environment(autoescape=True)


def picker(people: Iterable[Person], request: str, action: str, *, hinted: bool) -> HTMLResponse:
    """Everybody with an account, one button each; the first has the focus if the application named it."""
    return _page("Sign in to your account", _PICKER, people=people, request=request, action=action, hinted=hinted)


def form_post(action: str, fields: dict[str, str]) -> HTMLResponse:
    """The page that carries an answer to the application by a cross-site POST (`response_mode=form_post`)."""
    return _page("Working...", _FORM_POST, action=action, fields=list(fields.items()))


def problem(text: str) -> HTMLResponse:
    """What Entra shows when it cannot trust the redirect address and so keeps the person on its own page."""
    return _page("Sign in to your account", _PROBLEM, 400, text=text)


def _page(title: str, body: str, status: int = 200, **values: object) -> HTMLResponse:
    template = _PAGES.from_string(_FRAME.replace("{% block main %}{% endblock %}", body))
    headers = {"cache-control": "no-store", "x-frame-options": "DENY"}
    return HTMLResponse(template.render(title=title, **values), status, headers)
