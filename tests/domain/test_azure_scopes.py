"""Azure scopes: which paths are some, which never reach an address, and what they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.azure_scopes import Breadth, read_scope

SUB = "/subscriptions/0f0e0d0c-1111-4222-8333-944455566677"
GROUP = f"{SUB}/resourceGroups/rg-web"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-prod"
MANAGEMENT = "/providers/Microsoft.Management/managementGroups/contoso"
# What a hostile answer would put where a scope belongs.
EVIL_SCOPES = (
    "",
    " ",
    "//",
    "/..",
    "subscriptions/0f0e0d0c-1111-4222-8333-944455566677",
    f"{SUB}/",
    f" {SUB}",
    f"{SUB}\n",
    f"{SUB}\x00",
    f"{SUB}/..",
    f"{SUB}/../x",
    f"{SUB}/.",
    f"{SUB}/%2e%2e/x",
    f"{SUB}%2fresourceGroups/x",
    f"{SUB}?api-version=1",
    f"{SUB}#x",
    f"{SUB};x",
    f"{SUB}\\..",
    f"{SUB}/resourceGroups",
    f"{SUB}/resourceGroups/",
    f"{SUB}/resourceGroups//",
    f"{SUB}/resourceGroups/..",
    f"{SUB}/resourceGroups/.",
    f"{SUB}/resourceGroups/a b",
    f"{SUB}/resourceGroups/a'b",
    f"{SUB}/resourceGroups/a?b",
    f"{SUB}/resourceGroups/a#b",
    f"{SUB}/resourceGroups/a%2eb",
    f"{SUB}/resourceGroups/{'a' * 91}",
    f"{GROUP}/providers",
    f"{GROUP}/providers/Microsoft.KeyVault",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/..",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/.",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/../../x/y",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/a%2fb",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/a?b",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/a#b",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/a\\b",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/ a",
    f"{GROUP}/providers/Microsoft.KeyVault/vaults/a ",
    f"{GROUP}/providers/Microsoft.KeyVault//a",
    f"{GROUP}/x/y",
    f"{SUB}{SUB}",
    SUB.replace("-", ""),
    SUB.replace("9", "\N{FULLWIDTH DIGIT NINE}"),
    MANAGEMENT + "/..",
    MANAGEMENT + "/x",
    "/providers/Microsoft.Management/managementGroups/..",
    "/providers/Microsoft.Billing/billingAccounts/x",
    "https://evil.example/subscriptions/x",
    "/" + SUB,
    SUB + "/resourceGroups/x/providers/a.b" + "/c/d" * 300,
)


@pytest.mark.parametrize("path", EVIL_SCOPES)
def test_what_does_not_fit_is_no_scope(path: str) -> None:
    assert read_scope(path) is None


@pytest.mark.parametrize(
    "path, breadth, label",
    [
        ("/", Breadth.ROOT, "All of Azure"),
        (MANAGEMENT, Breadth.MANAGEMENT_GROUP, "Management group contoso"),
        (SUB, Breadth.SUBSCRIPTION, "Subscription 0f0e0d0c-1111-4222-8333-944455566677"),
        (GROUP, Breadth.RESOURCE_GROUP, "Resource group rg-web in Prod"),
        (VAULT, Breadth.RESOURCE, "Resource kv-prod in rg-web"),
        (VAULT + "/secrets/a b", Breadth.RESOURCE, "Resource a b in rg-web"),
        (f"{VAULT}/providers/Microsoft.Insights/components/c", Breadth.RESOURCE, "Resource c in rg-web"),
        (f"{SUB}/providers/Microsoft.Web/sites/s", Breadth.RESOURCE, "Resource s in Prod"),
        (f"{SUB}/resourceGroups/gruppe-übung", Breadth.RESOURCE_GROUP, "Resource group gruppe-übung in Prod"),
        (f"{SUB}/resourceGroups/a.b_(c)-d", Breadth.RESOURCE_GROUP, "Resource group a.b_(c)-d in Prod"),
    ],
)
def test_a_scope_is_read_and_called_by_what_is_known(path: str, breadth: Breadth, label: str) -> None:
    scope = read_scope(path)
    assert scope is not None
    assert (scope.id, scope.breadth) == (path, breadth)
    assert scope.label(subscriptions={"0f0e0d0c-1111-4222-8333-944455566677": "Prod"}) == label


def test_a_name_replaces_the_last_word_of_the_path() -> None:
    scope = read_scope(SUB)
    assert scope is not None
    assert scope.label("Prod") == "Subscription Prod"


@pytest.mark.parametrize("path", [SUB.upper(), GROUP.lower(), MANAGEMENT.lower(), VAULT.lower()])
def test_letter_case_is_microsofts_own(path: str) -> None:
    scope = read_scope(path)
    assert scope is not None
    assert scope.id == path


@given(st.text(max_size=40), st.sampled_from([SUB, GROUP, VAULT, MANAGEMENT, ""]))
def test_no_text_makes_a_path_climb_or_leave(tail: str, before: str) -> None:
    scope = read_scope(before + tail)
    if scope is not None:
        assert not set(scope.id) & set("?#%\\\n\r\t\x00")
        assert not {".", ".."} & set(scope.id.split("/"))
        assert "//" not in scope.id
