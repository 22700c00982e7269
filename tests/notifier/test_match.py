"""Which Slack account a requestor has: the link first, then the alias, then the address; and how sure that is."""

from __future__ import annotations

import pytest
from build import a_link, a_request, decided
from notifier.rig import Rig
from notifier.test_messenger import ANN, LOOKUP, POST, ROB, entra, ticks
from people import TENANT

from app.domain.errors import SlackFailed, Unavailable
from app.domain.match import How, Match
from app.domain.policy import Aliases
from app.domain.request import ActivationRequest, Person, Status
from app.notifier.matching import SlackMatching
from app.ports import LinkState

RULE = Aliases((("adm-{x}@", "{x}@"),))
ENDED = {
    LinkState.SUSPENDED: "UPDATE links SET state = 'suspended', sealed = NULL",
    LinkState.FROZEN: "UPDATE links SET state = 'frozen', sealed = NULL",
}
NOBODY = Person("0f", "Nobody", "nobody@contoso.example", "nobody@contoso.example")


def matching(rig: Rig, aliases: Aliases = RULE) -> SlackMatching:
    return SlackMatching(links=rig.links, people=rig.people, aliases=aliases, tenant=TENANT)


async def linked(rig: Rig, name: str, slack_user: str, state: LinkState = LinkState.ACTIVE) -> None:
    link = a_link(entra(name), slack_user=slack_user)
    await rig.links.save(link, "sealed", 1, rig.clock())
    if state in ENDED:
        await rig.change(ENDED[state])


@pytest.mark.parametrize("state", [LinkState.ACTIVE, LinkState.SUSPENDED])
async def test_a_link_comes_first_and_slack_is_not_asked(rig: Rig, state: LinkState) -> None:
    await linked(rig, "rob", ANN, state)
    assert await matching(rig).match(entra("rob")) == Match(How.SIGNED_IN, ANN)
    assert rig.slack.calls() == []


async def test_a_link_of_the_admin_account_itself_comes_before_its_alias(rig: Rig) -> None:
    await linked(rig, "adm-rob", ANN)
    await linked(rig, "rob", ROB)
    assert await matching(rig).match(entra("adm-rob")) == Match(How.SIGNED_IN, ANN)


async def test_a_disowned_link_is_believed_by_nobody(rig: Rig) -> None:
    await linked(rig, "rob", ANN, LinkState.FROZEN)
    assert await matching(rig).match(entra("rob")) == Match(How.BY_MAIL, ROB)
    assert await matching(rig).match(entra("adm-rob")) == Match(How.BY_ALIAS, ROB, "rob@contoso.example")


async def test_an_alias_leads_to_the_link_of_the_everyday_account(rig: Rig) -> None:
    await linked(rig, "rob", ANN)
    assert await matching(rig).match(entra("adm-rob")) == Match(How.BY_ALIAS, ANN, "rob@contoso.example")
    assert rig.slack.calls() == []


async def test_an_alias_leads_to_the_address_of_the_everyday_account(rig: Rig) -> None:
    assert await matching(rig).match(entra("adm-rob")) == Match(How.BY_ALIAS, ROB, "rob@contoso.example")


async def test_the_table_of_accounts_leads_there_too(rig: Rig) -> None:
    aliases = Aliases(table={"adm-rob@contoso.example": "ann@contoso.example"})
    assert await matching(rig, aliases).match(entra("adm-rob")) == Match(How.BY_ALIAS, ANN, "ann@contoso.example")


async def test_an_alias_comes_before_ones_own_address(rig: Rig) -> None:
    aliases = Aliases(table={"rob@contoso.example": "ann@contoso.example"})
    assert (await matching(rig, aliases).match(entra("rob"))).how is How.BY_ALIAS


async def test_an_alias_that_leads_nowhere_leaves_ones_own_address(rig: Rig) -> None:
    aliases = Aliases(table={"rob@contoso.example": "nobody@contoso.example"})
    assert await matching(rig, aliases).match(entra("rob")) == Match(How.BY_MAIL, ROB)


async def test_an_address_is_a_guess(rig: Rig) -> None:
    assert await matching(rig).match(entra("rob")) == Match(How.BY_MAIL, ROB)
    assert await matching(rig).match(entra("rob", mail="")) == Match(How.BY_MAIL, ROB)
    assert await matching(rig).match(entra("rob", mail="old@contoso.example")) == Match(How.BY_MAIL, ROB)


@pytest.mark.parametrize("person", [NOBODY, Person("0f"), Person("0f", upn="no address")])
async def test_who_is_nowhere_is_not_in_slack(rig: Rig, person: Person) -> None:
    assert await matching(rig).match(person) == Match(How.NOT_IN_SLACK)


async def test_without_an_alias_an_admin_account_is_not_in_slack(rig: Rig) -> None:
    assert await matching(rig, Aliases()).match(entra("adm-rob")) == Match(How.NOT_IN_SLACK)


@pytest.mark.parametrize("error, failure", [("internal_error", Unavailable), ("missing_scope", SlackFailed)])
async def test_a_slack_that_cannot_tell_is_no_answer(rig: Rig, error: str, failure: type[Exception]) -> None:
    rig.slack.disturb(LOOKUP, error=error)
    with pytest.raises(failure):
        await matching(rig).match(entra("rob"))


# --- what the messenger makes of it ---


async def ended(rig: Rig, requestor: Person, match: Match) -> ActivationRequest:
    """Their request was matched, and then denied."""
    request = await rig.appear(a_request(requestor=requestor))
    await rig.book.matched(request.key, match, rig.clock())
    await rig.book.settle(request.key, Status.DENIED, decided(comment="No change is planned"), None, rig.clock())
    return request


async def test_the_stored_match_is_told_without_asking_again(rig: Rig) -> None:
    await ended(rig, entra("adm-rob"), Match(How.BY_ALIAS, ROB, "rob@contoso.example"))
    await ticks(rig, 3)
    assert len(rig.slack.said_to(ROB)) == 1
    assert rig.slack.calls(LOOKUP) == []


@pytest.mark.parametrize("how", [How.UNKNOWN, How.NOT_IN_SLACK])
async def test_whom_nobody_found_is_looked_for_once_more(rig: Rig, how: How) -> None:
    await ended(rig, entra("rob"), Match(how))
    await ticks(rig, 3)
    assert len(rig.slack.said_to(ROB)) == 1


async def test_a_link_is_believed_as_it_is_now_and_not_as_it_was(rig: Rig) -> None:
    await ended(rig, entra("rob"), Match(How.SIGNED_IN, ANN))
    await ticks(rig, 3)
    assert rig.slack.said_to(ANN) == []
    assert len(rig.slack.said_to(ROB)) == 1


async def test_who_is_not_in_slack_is_not_told(rig: Rig) -> None:
    await ended(rig, NOBODY, Match(How.NOT_IN_SLACK))
    await ticks(rig, 3)
    assert rig.slack.calls(POST) == []
    assert [row["note"] for row in await rig.rows("SELECT note FROM notices")] == ["not in Slack: was not told"]
