"""Leaks on purpose, one a test: `test_canaries.py` runs this file in a pytest of its own. Nothing here is collected."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import typer
from security import canaries
from typer.testing import CliRunner

REFRESH = "1.A" + "x" * 60
JWT = "eyJhbGciOiJub25l.eyJzdWIiOiJhbm4i.c2lnbmF0dXJl"
KEY = canaries.secret("k9:" + "Z" * 43)
ours, theirs = logging.getLogger("app.leaks"), logging.getLogger("a.library")


def answering(text: str) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=text)))


def test_leak_in_a_log_line_of_ours() -> None:
    ours.info("signed in with %s", "canary-secret")


def test_leak_in_a_log_line_that_production_would_mask_but_that_is_ours() -> None:
    ours.warning("Authorization: Bearer canary-secret")


def test_leak_in_a_log_line_of_a_library() -> None:
    theirs.warning("connecting as canary")


def test_leak_in_a_logged_exception() -> None:
    try:
        int("canary")
    except ValueError:
        ours.exception("It failed.")


def test_leak_on_standard_output() -> None:
    print(REFRESH)  # noqa: T201 - the leak


def test_leak_on_standard_error() -> None:
    print(JWT, file=sys.stderr)  # noqa: T201 - the leak


def test_leak_of_a_process() -> None:
    subprocess.run([sys.executable, "-c", "print('xoxb-' + '12345678')"], capture_output=True, text=True, check=True)


def test_leak_of_a_command() -> None:
    app = typer.Typer()
    app.command()(lambda: typer.echo(KEY))
    CliRunner().invoke(app, [])


def test_leak_of_a_key_without_its_name() -> None:
    ours.info("%s", KEY.partition(":")[2])


def test_leak_in_a_page_of_the_bot() -> None:
    answering("<p>canary</p>").get("https://pim.example/sign-in/start/x")


def test_leak_in_what_people_see() -> None:
    answering(f'{{"text": "{REFRESH}"}}').get("http://127.0.0.1:8765/control/world")


@pytest.mark.parametrize(
    "address",
    ["https://graph.microsoft.us/v1.0/x", "http://127.0.0.1:1/graph/beta/x", "http://h/slack/api/chat.update"],
)
def test_leak_in_what_the_bot_says(address: str) -> None:
    answering("{}").post(address, json={"justification": JWT})


def test_leak_in_a_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "pim.db") as database:
        database.execute("CREATE TABLE links (cache)")
        database.execute("INSERT INTO links VALUES (?)", [REFRESH])
    database.close()
    canaries.look_into(f"sqlite+aiosqlite:///{tmp_path / 'pim.db'}")


def test_leak_in_the_log_of_a_process(tmp_path: Path) -> None:
    log = tmp_path / "bot.log"
    canaries.watch_file(log)
    log.write_text("started\ncanary\n", encoding="utf-8")


@pytest.fixture
def late() -> object:
    yield
    ours.info("canary")


@pytest.mark.usefixtures("late")
def test_leak_after_the_test() -> None:
    pass


# --- and what is no leak ---


def test_innocent_words() -> None:
    ours.info("The card of %s is gone from Slack.", "request 1")
    print("a token, a secret and a key, but only as words")  # noqa: T201 - harmless
    answering("<p>Sign in</p>").get("https://pim.example/sign-in/start/x")


def test_innocent_library_whose_line_production_masks() -> None:
    theirs.warning("refused: %s", {"Authorization": f"Bearer {REFRESH}", "client_secret": "canary-secret"})


def test_innocent_sign_in_service() -> None:
    answering("{}").post("https://login.microsoftonline.com/t/oauth2/v2.0/token", data={"client_secret": "canary"})


def test_innocent_bearer() -> None:
    answering("{}").get("https://graph.microsoft.com/v1.0/me", headers={"Authorization": f"Bearer {JWT}"})


@pytest.mark.hot
def test_innocent_by_mark() -> None:
    ours.info("canary")
