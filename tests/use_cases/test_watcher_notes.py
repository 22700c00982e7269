"""What cannot be seen is said once in the channel: a blind desk, a full list; and taken back when it is over."""

from __future__ import annotations

import pytest
from build import a_key, a_request
from fakes import ALWAYS, APP, FakeDesk
from people import CHANNEL, ann, ben
from use_cases.house import House

from app.domain.errors import BotError, ClaimsChallenge, GraphRefused, Malformed, SignInRequired, Unavailable
from app.domain.request import Kind
from app.ports import ChannelNote, Resource
from blocks import notices

BLIND = notices.blind_words([Kind.ENTRA])
REFUSED = notices.refused_words([Kind.ENTRA])
FULL = notices.incomplete_words(Kind.ENTRA)
FORBIDDEN = GraphRefused("Microsoft refused: no", status=403)


async def shown(house: House) -> list[ChannelNote]:
    """The notes Slack does not show yet; from now on it does."""
    notes = list(await house.outbox.unpainted_notes())
    for note in notes:
        await house.outbox.painted_note(note, note.ts or f"17.{note.topic}")
    return notes


async def test_nobody_signed_in_is_said_once_with_a_button(shared_house: House) -> None:
    await shared_house.watcher.tick()
    (note,) = await shown(shared_house)
    assert (note.topic, note.text, note.button, note.channel) == ("blind", BLIND, True, CHANNEL)
    await shared_house.watcher.tick()
    assert await shown(shared_house) == []
    assert await shared_house.outbox.standing_notes() == [BLIND]


async def test_the_first_sign_in_ends_the_blind_note_and_counts_what_was_missed(shared_house: House) -> None:
    await shared_house.watcher.tick()
    await shown(shared_house)
    shared_house.desk.ask(a_request(), [ann])
    await shared_house.link(ann)
    await shared_house.watcher.tick()
    (note,) = await shown(shared_house)
    assert (note.text, note.button) == (notices.sighted_words([Kind.ENTRA], 1), False)
    assert await shared_house.outbox.standing_notes() == []


async def test_requests_known_before_the_blindness_are_not_called_missed(shared_house: House) -> None:
    await shared_house.ask(approvers=(ann,))
    await shared_house.watcher.tick()
    await shown(shared_house)
    await shared_house.link(ann)
    await shared_house.watcher.tick()
    (note,) = await shown(shared_house)
    assert note.text == notices.sighted_words([Kind.ENTRA], 0)


async def test_a_blind_note_nobody_saw_is_taken_back_silently(shared_house: House) -> None:
    await shared_house.watcher.tick()
    await shared_house.link(ann)
    await shared_house.watcher.tick()
    assert await shown(shared_house) == []


async def test_signing_out_again_says_so_in_the_same_note(shared_house: House) -> None:
    for links in ([], [ann], []):
        await shared_house.link(*links) if links else None
        await shared_house.watcher.tick()
        notes = await shown(shared_house)
        if links:
            await shared_house.sign_out(ann)
    assert [(note.topic, note.text, note.version, note.ts) for note in notes] == [("blind", BLIND, 3, "17.blind")]


@pytest.mark.parametrize("failure", [FORBIDDEN, SignInRequired(), ClaimsChallenge(claims="{}")])
async def test_approvers_who_are_all_refused_see_nothing(shared_house: House, failure: BotError) -> None:
    await shared_house.link(ann, ben)
    shared_house.desk.fail("list_for", failure, times=ALWAYS)
    await shared_house.watcher.tick()
    assert await shared_house.outbox.standing_notes() == [BLIND]


async def test_an_application_that_is_refused_says_so_without_a_button(house: House) -> None:
    house.desk.fail("list_all", FORBIDDEN)
    await house.watcher.tick()
    (note,) = await shown(house)
    assert (note.text, note.button) == (REFUSED, False)
    await house.watcher.tick()
    (note,) = await shown(house)
    assert note.text == notices.sighted_words([Kind.ENTRA], 0)


async def test_an_application_without_a_token_is_blind(house: House) -> None:
    house.tokens.over.add(APP)
    await house.watcher.tick()
    assert await house.outbox.standing_notes() == [REFUSED]


@pytest.mark.parametrize("failure", [Unavailable(), Unavailable(retry_after=30.0), Malformed()])
async def test_an_outage_is_not_blindness(shared_house: House, failure: BotError) -> None:
    await shared_house.link(ann, ben)
    shared_house.desk.fail("list_for", failure, who=ann.id)
    shared_house.desk.fail("list_for", FORBIDDEN, who=ben.id)
    await shared_house.watcher.tick()
    assert await shared_house.outbox.standing_notes() == []


async def test_an_outage_leaves_the_blind_note_standing(house: House) -> None:
    house.desk.fail("list_all", FORBIDDEN)
    house.desk.fail("list_all", Unavailable())
    await house.watcher.tick()
    await house.watcher.tick()
    assert await house.outbox.standing_notes() == [REFUSED]


async def test_a_desk_that_turns_blind_after_an_outage_is_not_called_readable(
    shared_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await shared_house.link(ann)
    shared_house.desk.fail("list_for", Unavailable())
    await shared_house.watcher.tick()
    await shared_house.sign_out(ann)
    await shared_house.watcher.tick()
    assert "can be read again" not in caplog.text


@pytest.mark.parametrize("rows,said", [(49, []), (50, [FULL]), (51, [FULL])])
async def test_a_list_of_fifty_rows_may_hide_more_and_says_so(shared_house: House, rows: int, said: list[str]) -> None:
    await shared_house.link(ann)
    for _ in range(rows):
        shared_house.desk.ask(a_request(), [ann])
    await shared_house.watcher.tick()
    assert await shared_house.outbox.standing_notes() == said


async def test_a_full_list_lets_nothing_vanish_and_its_note_ends_when_it_is_short_again(shared_house: House) -> None:
    await shared_house.link(ann)
    requests = [a_request() for _ in range(51)]
    for request in requests:
        shared_house.desk.ask(request, [ann])
    await shared_house.watcher.tick()
    (note,) = await shown(shared_house)
    assert (note.topic, note.button, shared_house.desk.count("fetch")) == ("full:entra", False, 0)
    for request in requests[:2]:
        shared_house.desk.withdraw(request.key.id)
    await shared_house.watcher.tick()
    (note,) = await shown(shared_house)
    assert note.text == notices.complete_words(Kind.ENTRA)
    assert len(await shared_house.book.open_rows()) == 49


async def test_fifty_rows_of_the_application_hide_nothing(house: House) -> None:
    for _ in range(50):
        house.desk.ask(a_request(), [ann])
    await house.watcher.tick()
    assert await house.outbox.standing_notes() == []


# --- several desks, one note ---

EVERY = tuple(Kind)


@pytest.fixture
def more(shared_house: House) -> House:
    """The same house, watching all three desks."""
    azure = FakeDesk(shared_house.clock, Kind.AZURE, Resource.ARM)
    group = FakeDesk(shared_house.clock, Kind.GROUP)
    shared_house.watcher.desks = (shared_house.desk, azure, group)
    return shared_house


def desks(house: House) -> dict[Kind, FakeDesk]:
    found = {desk.kind: desk for desk in house.watcher.desks if isinstance(desk, FakeDesk)}
    assert found.keys() == set(Kind)
    return found


async def test_desks_that_nobody_can_see_share_one_note(more: House) -> None:
    await more.watcher.tick()
    (note,) = await shown(more)
    assert note.text == notices.blind_words(EVERY)
    assert "Entra role, Azure resource role and PIM group requests" in note.text


async def test_the_note_names_what_is_still_blind_and_at_the_end_all_that_was(more: House) -> None:
    await more.watcher.tick()
    await shown(more)
    await more.link(ann)
    desks(more)[Kind.AZURE].fail("list_for", FORBIDDEN, times=2)
    desks(more)[Kind.ENTRA].ask(a_request(), [ann])
    await more.watcher.tick()
    (note,) = await shown(more)
    assert note.text == notices.blind_words([Kind.AZURE])
    desks(more)[Kind.AZURE].ask(a_request(key=a_key(Kind.AZURE)), [ann])
    await more.watcher.tick()
    assert await shown(more) == []
    await more.watcher.tick()
    (note,) = await shown(more)
    assert (note.text, note.button) == (notices.sighted_words(EVERY, 2), False)


async def test_what_arrives_where_sight_was_never_lost_was_not_missed(more: House) -> None:
    await more.link(ann)
    desks(more)[Kind.GROUP].fail("list_for", FORBIDDEN)
    await more.watcher.tick()
    await shown(more)
    desks(more)[Kind.ENTRA].ask(a_request(), [ann])
    await more.watcher.tick()
    (note,) = await shown(more)
    assert note.text == notices.sighted_words([Kind.GROUP], 0)


async def test_an_outage_of_one_desk_hides_no_blindness_of_another(more: House) -> None:
    await more.link(ann)
    desks(more)[Kind.AZURE].fail("list_for", Unavailable(), times=ALWAYS)
    desks(more)[Kind.GROUP].fail("list_for", FORBIDDEN)
    await more.watcher.tick()
    (note,) = await shown(more)
    assert note.text == notices.blind_words([Kind.GROUP])
    await more.watcher.tick()
    (note,) = await shown(more)
    assert note.text == notices.sighted_words([Kind.GROUP], 0)


async def test_after_a_restart_a_note_is_taken_back_for_the_desks_that_are_seen(more: House) -> None:
    await more.watcher.tick()
    await shown(more)
    await more.link(ann)
    more.watcher.__post_init__()  # a new process remembers nothing
    for desk in desks(more).values():
        desk.fail("list_for", Unavailable())
    desks(more)[Kind.AZURE].fail("list_for", Unavailable(), times=ALWAYS)
    await more.watcher.tick()
    assert await shown(more) == []
    await more.watcher.tick()
    (note,) = await shown(more)
    assert note.text == notices.sighted_words([Kind.ENTRA, Kind.GROUP], 0)
