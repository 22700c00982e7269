"""Manifest, example settings and pages say what the code does, and the code does what they say."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from bolt_rig import BoltRig
from jsonschema import Draft7Validator
from pages import CALL, HINTS, PAGES, ROOT, code_of, mistakes_in
from people import ann
from typer.testing import CliRunner

from app import cli
from app.api.server import SLACK_PATH
from app.cli.manifest import app_manifest, lines
from app.sandbox.people import Settings as SandboxSettings
from app.sandbox.slack_scopes import SCOPES as SANDBOX_SCOPES
from app.settings import Settings

# What each Web API method costs, by Slack's reference. A private channel and a direct message have scopes of their own.
COSTS: dict[str, set[str]] = {
    "apps.connections.open": set(),  # takes the app-level token and its connections:write
    "auth.test": set(),
    "bots.info": {"users:read"},
    "chat.delete": {"chat:write"},
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"groups:history", "im:history"},
    "conversations.info": {"groups:read"},
    "conversations.members": {"groups:read"},
    "conversations.open": {"im:write"},
    "conversations.replies": {"groups:history"},
    "files.completeUploadExternal": {"files:write"},
    "files.getUploadURLExternal": {"files:write"},
    "users.info": {"users:read"},
    "users.lookupByEmail": {"users:read", "users:read.email"},
    "views.open": set(),
    "views.publish": set(),
    "views.update": set(),
}
NOT_BY_A_METHOD = {"commands"}  # slash commands need it, no call does


def manifest() -> Any:  # noqa: ANN401 - YAML
    return yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))


# The manifest


def printed(*options: str) -> str:
    """What the command prints for the address that the repository's file names."""
    ended = CliRunner().invoke(cli.app, ["manifest", "--url", "https://pim.example.com", *options])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_the_file_is_what_the_command_prints() -> None:
    assert (ROOT / "manifest.yml").read_text(encoding="utf-8") == printed()


@pytest.mark.parametrize("transport", [(), ("--socket",)], ids=["http", "socket"])
def test_slack_takes_the_manifest(transport: tuple[str, ...]) -> None:
    schema = json.loads((ROOT / "tests" / "data" / "slack-app-manifest.schema.json").read_text(encoding="utf-8"))
    said = yaml.safe_load(printed(*transport))
    assert [error.message for error in Draft7Validator(schema).iter_errors(said)] == []


@pytest.mark.parametrize("socket", [False, True])
def test_what_is_printed_reads_as_what_is_meant(socket: bool) -> None:  # noqa: FBT001 - a table
    url = "https://pim.example.com"
    assert yaml.safe_load("\n".join(lines(app_manifest(url, socket=socket)))) == app_manifest(url, socket=socket)


def test_in_socket_mode_slack_is_told_no_address_but_the_browsers() -> None:
    text = printed("--socket")
    said = yaml.safe_load(text)
    assert said["settings"]["socket_mode_enabled"] is True
    assert said["oauth_config"] == manifest()["oauth_config"]
    assert re.findall(r"https://pim\.example\.com\S*", text) == said["oauth_config"]["redirect_urls"]


@pytest.mark.parametrize("url", ["http://pim.example.com", "https://pim.example.com/", "pim.example.com", ""])
def test_an_address_that_browsers_cannot_use_is_refused(url: str) -> None:
    ended = CliRunner().invoke(cli.app, ["manifest", "--url", url])
    assert (ended.exit_code, ended.stdout) == (2, "")


def test_every_shortcut_has_its_listener(rig: BoltRig) -> None:
    asked = {shortcut["callback_id"] for shortcut in manifest()["features"]["shortcuts"]}
    assert asked == {rig.shortcut(ann)["callback_id"]}


def test_the_schema_would_refuse_a_wrong_manifest() -> None:
    schema = json.loads((ROOT / "tests" / "data" / "slack-app-manifest.schema.json").read_text(encoding="utf-8"))
    wrong = manifest()
    wrong["display_information"]["name"] = "x" * 36
    wrong["settings"]["surprise"] = True
    assert len(list(Draft7Validator(schema).iter_errors(wrong))) == 2


def methods_used() -> set[str]:
    """Slack's names of the methods that the gateway is asked for, all over the notifier."""
    names = {name.replace(".", "_"): name for name in COSTS}
    found = set()
    for path in (ROOT / "app" / "notifier").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call":
                name = node.args[0]
                assert isinstance(name, ast.Constant), f"{path.name}: the method of a call must be written out"
                found.add(names.get(str(name.value), str(name.value)))
    return found


def test_the_methods_used_are_all_accounted_for() -> None:
    assert methods_used() <= COSTS.keys()
    assert {"chat.postMessage", "views.open", "users.info"} <= methods_used()


def test_the_manifest_asks_for_exactly_the_scopes_that_are_used() -> None:
    asked = manifest()["oauth_config"]["scopes"]["bot"]
    used = {scope for method in methods_used() for scope in COSTS[method]}
    assert sorted(asked) == sorted(used | NOT_BY_A_METHOD)


def test_the_sandbox_grants_what_the_manifest_asks_for() -> None:
    assert set(SANDBOX_SCOPES) == set(manifest()["oauth_config"]["scopes"]["bot"])


def test_signing_in_with_slack_asks_for_the_persons_name_and_no_more() -> None:
    assert set(manifest()["oauth_config"]["scopes"]["user"]) == {"openid", "email", "profile"}


def test_everything_slack_sends_goes_to_the_one_gated_address() -> None:
    said = manifest()
    urls = [
        *(command["url"] for command in said["features"]["slash_commands"]),
        said["settings"]["event_subscriptions"]["request_url"],
        said["settings"]["interactivity"]["request_url"],
    ]
    assert {urlsplit(url).path for url in urls} == {SLACK_PATH}
    assert {urlsplit(url).scheme for url in [*urls, *said["oauth_config"]["redirect_urls"]]} == {"https"}


def test_slack_may_send_people_back_only_to_the_sign_in_page() -> None:
    paths = [urlsplit(url).path for url in manifest()["oauth_config"]["redirect_urls"]]
    assert paths == [urlsplit(SandboxSettings().redirect_uris["slack"]).path]


def test_the_bot_can_be_written_to_and_has_a_home() -> None:
    home = manifest()["features"]["app_home"]
    assert home["home_tab_enabled"]
    assert home["messages_tab_enabled"], "without it nobody can be sent a direct message"
    assert "app_home_opened" in manifest()["settings"]["event_subscriptions"]["bot_events"]


def test_names_in_commands_come_as_ids() -> None:
    (command,) = manifest()["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == ("/pim", True)


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def rig(store: Any) -> BoltRig:  # noqa: ANN401 - handed on
    return BoltRig(store)


async def test_every_word_of_the_usage_hint_is_a_command(rig: BoltRig) -> None:
    (command,) = manifest()["features"]["slash_commands"]
    await has_answers(rig, re.findall(r"[a-z][a-z-]+", command["usage_hint"]))


async def has_answers(rig: BoltRig, words: list[str]) -> None:
    assert words
    for word in words:
        assert "There is no" not in (await rig.type(ann, word)).get("text", ""), word


# Settings


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?PIM_[A-Z_]+=", line))


def test_the_example_names_every_setting_and_no_other() -> None:
    assert sorted(example()) == sorted(f"PIM_{name.upper()}" for name in Settings.model_fields)


def test_what_the_example_leaves_open_is_what_must_be_set() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    open_ones = {line.split("=")[0] for line in lines if re.match(r"PIM_[A-Z_]+=", line)}
    needed = {f"PIM_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()}
    assert open_ones >= needed


def test_the_example_holds_no_secret() -> None:
    secret = {name: value for name, value in example().items() if re.search("SECRET|TOKEN|KEYS", name)}
    assert all(len(value) < 20 for value in secret.values()), secret


@pytest.mark.parametrize("page", HINTS, ids=lambda path: path.name)
def test_a_page_names_only_settings_that_exist(page: Path) -> None:
    named = set(re.findall(r"\bPIM_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    known = {f"PIM_{name.upper()}" for name in Settings.model_fields}
    assert named <= known | {"PIM_UPDATE_GOLDEN"}  # a switch of the tests


# Commands


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", HINTS, ids=lambda path: path.name)
def test_a_page_names_only_commands_and_options_that_exist(page: Path) -> None:
    wrong = {call: found for call in CALL.findall(code_of(page)) if (found := mistakes_in(call))}
    assert wrong == {}


@pytest.mark.parametrize("call", ["frobnicate", "keys old", "check --jsonn", "manifest --url https://x --sockets"])
def test_a_wrong_call_on_a_page_would_be_seen(call: str) -> None:
    assert mistakes_in(call)


@pytest.mark.parametrize("page", HINTS, ids=lambda path: path.name)
def test_a_page_names_only_make_targets_that_exist(page: Path) -> None:
    assert set(re.findall(r"\bmake ([a-z]+)", code_of(page))) <= make_targets()


async def test_pages_name_only_slash_commands_that_exist(rig: BoltRig) -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    await has_answers(rig, sorted(set(re.findall(r"`/pim ([a-z-]+)", text))))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_page_leads_only_to_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [*re.findall(r"\]\(([^)#\s]+)[^)]*\)", text), *re.findall(r'(?:src|href)="([^"#]+)"', text)]
    ours = [link for link in links if not urlsplit(link).scheme]
    assert [link for link in ours if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("target", ["demo", "test", "check", "soak", "bench", "pictures", "help"])
def test_the_promised_make_targets_exist(target: str) -> None:
    assert target in make_targets()


def test_the_scripts_behind_make_targets_exist() -> None:
    scripts = re.findall(r"\$\(PY\) ([a-z/_]+\.py)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert scripts
    assert [script for script in scripts if not (ROOT / script).exists()] == []
