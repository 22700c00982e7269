"""The script for `az` is sound bash, asks for what the installation page says and no more, and may be run again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import cli
from app.cli.entra_script import APPLICATION, DELEGATED, DELEGATED_ARM, OPTIONAL
from app.identity.clouds import GLOBAL
from app.sandbox.people import Settings as SandboxSettings

URL = "https://pim.example.com"
PAGE = (Path(__file__).parents[1] / "docs" / "install.md").read_text(encoding="utf-8")
GROUP = "6d0f3c41-2222-4333-8444-555566667777"
# Answers as az would, from a file that stands for the tenant, and writes down each call.
AZ = f"""#!{sys.executable} -ISs
import json, os, sys
words, home = sys.argv[1:], os.environ["TENANT"]
state = json.load(open(home))
state["calls"].append(words)
said = " ".join(words)
option = lambda name: words[words.index(name) + 1]
answer = ""
if said.startswith("cloud show"):
    answer = "https://graph.microsoft.com/"
elif said.startswith("account show"):
    answer = "the-tenant"
elif said.startswith("ad app list"):
    answer = state["apps"].get(option("--display-name"), "")
elif said.startswith("ad app owner list"):
    answer = "[mallory@example.com]"
elif said.startswith("ad app credential list"):
    answer = "[a certificate of hers]" if "--cert" in words else "[a secret of hers]"
elif said.startswith("ad app federated-credential list"):
    answer = "[a pipeline of hers]"
elif said.startswith("ad app show"):
    answer = option("--id") if option("--id") in state["apps"].values() else sys.exit(3)
elif said.startswith("ad sp list"):
    answer = state["principals"].get(option("--filter"), "")
elif said.startswith("ad sp create"):
    answer = state["principals"][f"appId eq '{{option('--id')}}'"] = "object-of-" + option("--id")
elif said.startswith("ad sp show"):
    answer = "" if state["lacks"] and state["lacks"] in said else "id-of:" + option("--query")
elif said.startswith("rest --method GET"):
    answer = state["assigned"]
elif said.startswith("rest --method POST --url https://graph.microsoft.com/v1.0/applications"):
    answer = state["apps"][json.loads(option("--body"))["displayName"]] = f"app-{{len(state['apps'])}}"
elif said.startswith("rest --method POST"):
    state["assigned"] = "an-assignment"
json.dump(state, open(home, "w"))
print(answer, end="\\n" if answer else "")
"""


def printed(*options: str) -> str:
    ended = CliRunner().invoke(cli.app, ["entra-script", "--url", URL, *options])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


@dataclass
class Tenant:
    """A tenant as `az` shows it, and a place to run the script in."""

    path: Path
    lacks: str = ""
    apps: dict[str, str] = field(default_factory=dict)  # client ids by name, of whoever came first
    said: list[subprocess.CompletedProcess[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.path / "bin").mkdir()
        az = self.path / "bin" / "az"
        az.write_text(AZ, encoding="utf-8")
        az.chmod(0o755)
        empty = {"calls": [], "apps": self.apps, "principals": {}, "assigned": "", "lacks": self.lacks}
        (self.path / "tenant.json").write_text(json.dumps(empty), encoding="utf-8")

    def run(self, script: str, *arguments: str, ends: int = 0, **given: str) -> subprocess.CompletedProcess[str]:
        """`ends`: with which exit code; `given`: variables of whoever runs it."""
        (self.path / "entra.sh").write_text(script, encoding="utf-8")
        around = {"PATH": f"{self.path / 'bin'}:{os.environ['PATH']}", "TENANT": str(self.path / "tenant.json")}
        command = ["/usr/bin/env", "bash", "entra.sh", *arguments]
        ended = subprocess.run(command, cwd=self.path, env=around | given, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        assert ended.returncode == ends, ended.stderr
        return ended

    def calls(self, *words: str) -> list[list[str]]:
        found = json.loads((self.path / "tenant.json").read_text(encoding="utf-8"))["calls"]
        return [call for call in found if call[: len(words)] == list(words)]

    def posted(self, end: str) -> list[dict[str, str]]:
        """What was sent to an address of Graph that ends so."""
        sent = [call for call in self.calls("rest", "--method", "POST") if call[call.index("--url") + 1].endswith(end)]
        return [json.loads(call[call.index("--body") + 1]) for call in sent]

    def granted(self, app: str) -> set[str]:
        """`kind name` of every permission that was asked for."""
        added = [call for call in self.calls("ad", "app", "permission", "add") if app in call]
        wanted = [word for call in added for word in call[call.index("--api-permissions") + 1 : -2]]
        found = [re.fullmatch(r"id-of:(\w+)\[\?value=='(\S+)'\]\.id \| \[0\]=(\w+)", word) for word in wanted]
        kinds = {"oauth2PermissionScopes": "Scope", "appRoles": "Role"}
        assert all(match and kinds[match[1]] == match[3] for match in found), wanted
        return {f"{match[3]} {match[2]}" for match in found if match}


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    """Where the plain script ran twice, for one group."""
    tenant = Tenant(tmp_path_factory.mktemp("tenant"))
    tenant.said = [tenant.run(printed(), GROUP) for _ in range(2)]
    return tenant


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Tenant:
    """Where everything was asked for, in a cloud that lacks one permission."""
    tenant = Tenant(tmp_path_factory.mktemp("other"), lacks="RoleManagementPolicy.Read.Directory")
    tenant.said = [tenant.run(printed("--optional", "--watch-as", "application"))]
    return tenant


def names_in(section: str) -> set[str]:
    """Names of permissions in the first column of the tables below this sentence, up to the next paragraph."""
    table = PAGE.split(section, 1)[1].split("\n\n", 2)[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    return {name for row in rows for name in re.findall(r"`([A-Za-z]+(?:[._][A-Za-z]+)+)`", row)}


# --- the page, the script and the bot say the same ---


def test_the_page_names_what_the_script_asks_for() -> None:
    assert names_in("Delegated permissions of Microsoft Graph, with admin consent:") == set(DELEGATED)
    assert names_in("And one of **Azure Service Management**") == set(DELEGATED_ARM)
    assert names_in("These are optional.") == {*OPTIONAL, "User.Read.All"}  # in place of User.ReadBasic.All


def test_the_bot_asks_people_for_no_more_than_the_script_consents_to() -> None:
    assert {scope.rsplit("/", 1)[1] for scope in GLOBAL.graph_scopes} == set(DELEGATED)
    assert {scope.rsplit("/", 1)[1] for scope in GLOBAL.arm_scopes} == set(DELEGATED_ARM)


def test_the_page_names_every_application_permission() -> None:
    section = PAGE.split("## 4. Who watches", 1)[1].split("### Other clouds", 1)[0]
    assert set(APPLICATION) <= set(re.findall(r"`([A-Za-z]+(?:\.[A-Za-z]+)+)`", section))


def test_microsoft_sends_people_back_to_where_the_bot_waits(tenant: Tenant) -> None:
    update, *_ = tenant.calls("ad", "app", "update")
    path = re.sub(r"^https?://[^/]+", "", SandboxSettings().redirect_uris["microsoft"])
    assert update[update.index("--web-redirect-uris") + 1] == f"{URL}{path}"


# --- what it does ---


@pytest.mark.parametrize("options", [(), ("--optional", "--watch-as", "application", "--name", "PIM (test)")])
def test_it_is_sound_bash(tmp_path: Path, options: tuple[str, ...]) -> None:
    script = tmp_path / "entra.sh"
    script.write_text(printed(*options), encoding="utf-8")
    subprocess.run(["/usr/bin/env", "bash", "-n", str(script)], check=True)  # noqa: S603 - ours


def test_people_sign_in_to_an_application_with_delegated_permissions_only(tenant: Tenant, other: Tenant) -> None:
    assert tenant.granted("app-0") == {f"Scope {name}" for name in (*DELEGATED, *DELEGATED_ARM)}
    assert {name.split()[0] for name in other.granted("app-0")} == {"Scope"}
    assert tenant.calls("ad", "app", "permission", "admin-consent")[0][3:] == ["admin-consent", "--id", "app-0"]


def test_nobody_signs_in_who_is_not_assigned(tenant: Tenant) -> None:
    update, *_ = tenant.calls("ad", "sp", "update")
    assert update[3:7] == ["--id", "object-of-app-0", "--set", "appRoleAssignmentRequired=true"]
    (body,) = tenant.posted("/appRoleAssignedTo")
    assert (body["principalId"], body["resourceId"]) == (GROUP, "object-of-app-0")


def test_run_again_it_makes_and_uploads_nothing_new(tenant: Tenant) -> None:
    assert [len(tenant.posted(end)) for end in ("/v1.0/applications", "/appRoleAssignedTo")] == [1, 1]
    once = (("ad", "sp", "create"), ("ad", "app", "credential", "reset"))
    assert [len(tenant.calls(*made)) for made in once] == [1, 1]
    assert tenant.said[0].stdout == tenant.said[1].stdout


def test_only_the_certificate_is_uploaded_and_the_key_is_for_its_owner_alone(tenant: Tenant) -> None:
    kept = tenant.path / "pim-approvals.pem"
    assert kept.stat().st_mode & 0o077 == 0
    assert {"BEGIN PRIVATE KEY", "BEGIN CERTIFICATE"} <= set(re.findall(r"BEGIN [A-Z ]+", kept.read_text("ascii")))
    (reset,) = tenant.calls("ad", "app", "credential", "reset")
    assert reset[reset.index("--cert") + 1] == "@pim-approvals.pem.crt"
    assert sorted(path.name for path in tenant.path.glob("*.pem*")) == ["pim-approvals.pem"]
    assert f"PIM_CLIENT_CERTIFICATE={kept}" in tenant.said[0].stdout
    assert "PRIVATE" not in tenant.said[0].stdout


def test_watching_as_an_application_has_a_registration_of_its_own(other: Tenant) -> None:
    assert other.granted("app-1") == {f"Role {name}" for name in APPLICATION}
    assert "PIM_POLLER_CLIENT_ID=app-1" in other.said[0].stdout


def test_what_is_optional_is_asked_for_when_wanted(other: Tenant) -> None:
    assert other.granted("app-0") >= {f"Scope {name}" for name in OPTIONAL}


def test_a_permission_that_a_cloud_does_not_have_is_left_out_and_said(other: Tenant) -> None:
    assert f"no permission {other.lacks}; it was left out" in other.said[0].stderr
    assert f"Scope {other.lacks}" not in other.granted("app-0")


# --- an application of the same name may be anybody's ---

NAMES = [("PIM Approvals", "APP_ID"), ("PIM Approvals poller", "POLLER_APP_ID")]
CHANGES = ("permission", "update", "create", "credential reset")
BOTH = ("--watch-as", "application")


@pytest.mark.parametrize("name, variable", NAMES, ids=["sign-in", "poller"])
def test_an_application_that_only_has_the_name_gets_nothing(tmp_path: Path, name: str, variable: str) -> None:
    tenant = Tenant(tmp_path, apps={name: "hers"})
    told = tenant.run(printed(*BOTH), ends=1).stderr
    assert all(words in told for words in (name, "hers", "mallory@example.com", f"{variable}=CLIENT-ID", "--name"))
    assert all(f"a {credential} of hers" in told for credential in ("secret", "certificate", "pipeline"))
    touched = [" ".join(call[2:]) for call in tenant.calls("ad") if "hers" in call]
    assert touched
    assert not [call for call in touched if call.startswith(CHANGES)]
    assert name not in [body["displayName"] for body in tenant.posted("/v1.0/applications")]
    assert not (tmp_path / f"{name}.client-id").exists()


def test_it_goes_on_with_the_application_whose_id_is_given_and_remembers_it(tmp_path: Path) -> None:
    tenant = Tenant(tmp_path, apps={"PIM Approvals": "mine", "PIM Approvals poller": "mine-too"})
    first = tenant.run(printed(*BOTH), APP_ID="mine", POLLER_APP_ID="mine-too")
    assert {"PIM_CLIENT_ID=mine", "PIM_POLLER_CLIENT_ID=mine-too"} <= set(first.stdout.splitlines())
    assert tenant.granted("mine-too") == {f"Role {name}" for name in APPLICATION}
    assert tenant.run(printed(*BOTH)).stdout == first.stdout
    assert tenant.posted("/v1.0/applications") == []


def test_the_name_is_never_asked_for_where_an_id_is_kept(tmp_path: Path) -> None:
    tenant = Tenant(tmp_path, apps={"PIM Approvals": "hers", "Renamed": "mine"})
    (tmp_path / "PIM Approvals.client-id").write_text("mine\n", encoding="utf-8")
    assert "PIM_CLIENT_ID=mine" in tenant.run(printed()).stdout
    assert (tenant.granted("hers"), bool(tenant.granted("mine"))) == (set(), True)


def test_an_application_that_is_gone_is_not_made_anew_unasked(tmp_path: Path) -> None:
    tenant = Tenant(tmp_path)
    told = tenant.run(printed(), ends=1, APP_ID="gone").stderr
    assert "nothing was changed" in told
    assert tenant.posted("/v1.0/applications") == []


# --- what a shell would take wrongly ---


@pytest.mark.parametrize("options", [("--name", "x'; rm -rf ~"), ("--name", ""), ("--url", "http://pim.example.com")])
def test_what_could_mean_something_else_to_a_shell_is_refused(options: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(cli.app, ["entra-script", "--url", URL, *options])
    assert (ended.exit_code, ended.stdout) == (2, "")
