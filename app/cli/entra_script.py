"""`pim-approvals entra-script`: prints what sets up the Entra side, for `az`. Itself it asks nobody.

Permissions are written by name and their ids asked of the tenant, so that nobody has to trust ids copied from a page.
docs/install.md says why each is needed; a test holds the two together.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import typer

DELEGATED = (
    "User.Read",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "PrivilegedAccess.ReadWrite.AzureAD",
    "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    "RoleManagementPolicy.Read.Directory",
    "RoleManagementPolicy.Read.AzureADGroup",
)
DELEGATED_ARM = ("user_impersonation",)
OPTIONAL = ("GroupMember.Read.All", "User.ReadBasic.All", "RoleManagement.Read.Directory", "AuditLog.Read.All")
APPLICATION = (
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup",
    "PrivilegedAccess.Read.AzureADGroup",
    "RoleManagement.Read.Directory",
    "RoleManagementPolicy.Read.AzureADGroup",
)
CALLBACK = "/sign-in/microsoft/callback"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._()-]{0,99}")

HEAD = """\
#!/usr/bin/env bash
# Registers PIM Approvals in the tenant that az is signed in to: redirect address, permissions, admin consent, a
# certificate, assignment required. Printed by `pim-approvals entra-script`; read it before you run it.
#
#   az login --tenant YOUR-TENANT    # as somebody who may register applications and grant admin consent
#   bash entra.sh [OBJECT-ID ...]    # of groups or people who may sign in: the approvers
#
# It may be run again, in the same folder: each application's client id is kept in NAME.client-id. An application that
# was not made here is taken only by the client id that you give: APP_ID=CLIENT-ID (or POLLER_APP_ID=) bash entra.sh ...
# Needs az and openssl.
set -euo pipefail
umask 077

GRAPH=00000003-0000-0000-c000-000000000000  # Microsoft Graph
ARM=797f4846-ba00-4fd7-ba43-dac1f8f63013    # Azure Service Management
ROOT=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
ROOT=${ROOT%/}

stranger() {  # name, the variable to give its id in, client ids: anybody who may register applications may take a name
  local name=$1 variable=$2 id
  shift 2
  {
    echo "There already is an application called $name. It may be anybody's, so nothing was changed in it."
    for id in "$@"; do
      echo "Client id $id. Its owners, secrets, certificates and federated credentials:"
      az ad app owner list --id "$id" --query '[].{name: displayName, upn: userPrincipalName, id: id}' --output json
      az ad app credential list --id "$id" --query '[].{name: displayName, until: endDateTime}' --output json
      az ad app credential list --id "$id" --cert --query '[].{name: displayName, until: endDateTime}' --output json
      az ad app federated-credential list --id "$id" --query '[].{issuer: issuer, subject: subject}' --output json
    done
    echo "If it is yours and you know each of them, run this again with $variable=CLIENT-ID before it."
    echo "If not, delete it, or print this script anew with another --name."
  } >&2
  exit 1
}

registration() {  # name, client id if one is given, the variable for it: the client id, as given, kept or made
  local id=$2 kept="$1.client-id" there
  [ -n "$id" ] || [ ! -e "$kept" ] || id=$(cat "$kept")
  if [ -n "$id" ]; then
    id=$(az ad app show --id "$id" --query appId --output tsv) || {
      echo "$1 cannot be read by that client id, and nothing was changed in it. Is it deleted? Then delete $kept." >&2
      exit 1
    }
  else
    there=$(az ad app list --display-name "$1" --query "[?displayName=='$1'].appId" --output tsv) || exit
    # shellcheck disable=SC2086  # one word for each of them
    [ -z "$there" ] || stranger "$1" "$3" $there
    # Not az ad app create: where somebody made one of this name a moment ago, that would take it.
    id=$(az rest --method POST --url "$ROOT/v1.0/applications" --query appId --output tsv \\
      --body "{\\"displayName\\": \\"$1\\", \\"signInAudience\\": \\"AzureADMyOrg\\"}") || exit
  fi
  printf '%s\\n' "$id" > "$kept"
  printf '%s' "$id"
}

principal() {  # client id: the object id of its enterprise application, found or made
  local id
  id=$(az ad sp list --filter "appId eq '$1'" --query '[0].id' --output tsv)
  [ -n "$id" ] || id=$(az ad sp create --id "$1" --query id --output tsv)
  printf '%s' "$id"
}

permit() {  # client id, API, Scope (of people) or Role (of the application), names
  local app=$1 api=$2 kind=$3 list=oauth2PermissionScopes name id wanted=()
  shift 3
  [ "$kind" = Scope ] || list=appRoles
  for name in "$@"; do
    id=$(az ad sp show --id "$api" --query "$list[?value=='$name'].id | [0]" --output tsv)
    if [ -n "$id" ]; then
      wanted+=("$id=$kind")
    else
      echo "This cloud has no permission $name; it was left out." >&2
    fi
  done
  az ad app permission add --id "$app" --api "$api" --api-permissions "${wanted[@]}" --output none
}

certificate() {  # client id, file: a key and its certificate, unless it is there; only the certificate is uploaded
  [ ! -e "$2" ] || return 0
  openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days 365 -subj "/CN=$1" -keyout "$2.key" -out "$2.crt" 2>/dev/null
  az ad app credential reset --id "$1" --cert "@$2.crt" --append --output none
  cat "$2.key" "$2.crt" > "$2"
  rm "$2.key" "$2.crt"
}

consent() {  # client id: Entra needs a moment before it knows a new application everywhere
  local pause
  for pause in 5 10 20 40; do
    if az ad app permission admin-consent --id "$1"; then return 0; fi
    sleep "$pause"
  done
  az ad app permission admin-consent --id "$1"
}

assign() {  # object id of the enterprise application, of whoever may sign in
  local body there any=00000000-0000-0000-0000-000000000000  # the application has no roles of its own for people
  there=$(az rest --method GET --url "$ROOT/v1.0/servicePrincipals/$1/appRoleAssignedTo" \\
    --query "value[?principalId=='$2'] | [0].id" --output tsv)
  [ -z "$there" ] || return 0
  body="{\\"principalId\\": \\"$2\\", \\"resourceId\\": \\"$1\\", \\"appRoleId\\": \\"$any\\"}"
  az rest --method POST --url "$ROOT/v1.0/servicePrincipals/$1/appRoleAssignedTo" --body "$body" --output none
}
"""
LAST = """\

echo
echo "For the bot's settings:"
echo "PIM_TENANT_ID=$(az account show --query tenantId --output tsv)"
echo "PIM_CLIENT_ID=$APP"
echo "PIM_CLIENT_CERTIFICATE=$PWD/pim-approvals.pem"
"""


def entra_script(
    url: Annotated[str, typer.Option(help="The https address at which approvers' browsers reach the bot.")],
    name: Annotated[str, typer.Option(help="What the application is to be called.")] = "PIM Approvals",
    watch_as: Annotated[
        Literal["approvers", "application"], typer.Option(help="As PIM_WATCH_AS; application gets one of its own.")
    ] = "approvers",
    optional: Annotated[bool, typer.Option("--optional", help="With what makes cards say more.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print a script for `az` that registers the application in Entra."""
    from app.settings import public_mistake  # noqa: PLC0415 - `--help` needs none of the bot

    mistake = public_mistake(url, sandbox=False)
    if mistake:
        raise typer.BadParameter(f"{mistake}.", param_hint="--url")
    if not _NAME.fullmatch(name):
        raise typer.BadParameter("letters, digits, spaces and . _ ( ) - only, at most 100.", param_hint="--name")
    typer.echo(script(url, name, poller=watch_as == "application", optional=optional), nl=False)


def script(url: str, name: str, *, poller: bool, optional: bool) -> str:
    """The whole text. `poller`: with a registration of its own for what the bot asks as itself."""
    parts = [HEAD, *_sign_in(url, name, optional=optional), *(_poller(name) if poller else ())]
    return "\n".join([*parts, LAST.rstrip("\n"), *(_POLLER_SETTINGS if poller else ()), ""])


def _sign_in(url: str, name: str, *, optional: bool) -> Iterator[str]:
    """The application that people sign in to: it holds delegated permissions only."""
    yield f'APP=$(registration {shlex.quote(name)} "${{APP_ID:-}}" APP_ID)'
    yield 'az ad app update --id "$APP" --is-fallback-public-client false --output none \\'
    yield f"  --web-redirect-uris {shlex.quote(url + CALLBACK)} \\"
    yield """  --optional-claims '{"idToken": [{"name": "auth_time", "essential": false}]}'"""
    yield 'OBJECT=$(principal "$APP")'
    yield _permit("$APP", "$GRAPH", "Scope", (*DELEGATED, *(OPTIONAL if optional else ())))
    yield _permit("$APP", "$ARM", "Scope", DELEGATED_ARM)
    yield 'certificate "$APP" pim-approvals.pem'
    yield 'az ad sp update --id "$OBJECT" --set appRoleAssignmentRequired=true --output none'
    yield 'for someone in "$@"; do assign "$OBJECT" "$someone"; done'
    yield 'consent "$APP"'


def _poller(name: str) -> Iterator[str]:
    """The application that lists everything: nobody signs in to it, and it can assign roles, so it stands apart."""
    yield ""
    yield f'POLLER=$(registration {shlex.quote(f"{name} poller")} "${{POLLER_APP_ID:-}}" POLLER_APP_ID)'
    yield 'principal "$POLLER" > /dev/null'
    yield _permit("$POLLER", "$GRAPH", "Role", APPLICATION)
    yield 'certificate "$POLLER" pim-approvals-poller.pem'
    yield 'consent "$POLLER"'


_POLLER_SETTINGS = (
    'echo "PIM_WATCH_AS=application"',
    'echo "PIM_POLLER_CLIENT_ID=$POLLER"',
    'echo "PIM_POLLER_CLIENT_CERTIFICATE=$PWD/pim-approvals-poller.pem"',
    'echo "For Azure roles: az role assignment create --role Reader --assignee $POLLER --scope /subscriptions/..."',
)


def _permit(app: str, api: str, kind: str, names: Sequence[str]) -> str:
    return " \\\n  ".join([f'permit "{app}" "{api}" {kind}', *names])
