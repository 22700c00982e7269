"""What a role can do: a sentence for every role that the risk rules know, and none for others."""

from __future__ import annotations

import pytest
from build import a_key

from app.domain import azure_roles, roles
from app.domain.powers import power
from app.domain.request import Kind, Role

ENTRA = [id_ for table in (roles.CRITICAL, roles.HIGH, roles.PRIVILEGED, roles.ELEVATED, roles.LOW) for id_ in table]
AZURE = [
    id_
    for table in (azure_roles.CONTROL, azure_roles.BROAD, azure_roles.ELEVATED, azure_roles.READING)
    for id_ in table
]


@pytest.mark.parametrize(
    "kind, role_id", [*((Kind.ENTRA, one) for one in ENTRA), *((Kind.AZURE, one) for one in AZURE)]
)
def test_every_known_role_has_a_sentence(kind: Kind, role_id: str) -> None:
    can = power(a_key(kind), Role(role_id.upper()))
    assert 10 < len(can) <= 100
    assert not can.endswith(".")


def test_of_an_unknown_role_nothing_is_guessed() -> None:
    assert power(a_key(), Role("another", "Global Administrator")) == ""


def test_a_group_gives_what_it_was_granted() -> None:
    assert "granted to this group" in power(a_key(Kind.GROUP), Role("member"))
    assert power(a_key(Kind.GROUP), Role("owner", privileged=True)).endswith("directory roles among it")
