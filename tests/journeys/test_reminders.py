"""Reminders over real processes: one message for each approver, live buttons in it, and none once it is decided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from journeys.driver import DENY, Sandbox, Shown

OLD = "PT23H50M"  # ten minutes are left


@pytest.fixture(autouse=True)
def _nothing_else_is_old(own: Sandbox) -> None:
    """Each test has the reminders to itself: what a test before it left is over."""
    for row in own.requests():
        if row["status"] == "PendingApproval":
            own.withdraw(row["id"])

    def quiet() -> bool:
        return not any(message.decidable for user in ("ann", "ben") for message in reminders(own, user))

    own.until(quiet, "no reminder with buttons")


def reminders(sandbox: Sandbox, user: str) -> list[Shown]:
    return [message for message in sandbox.directs(user) if message.kind == "pim_direct"]


def reminded(sandbox: Sandbox, user: str, *words: str) -> Shown:
    """Their reminder that says all this and has buttons."""

    def look() -> Shown | None:
        found = [m for m in reminders(sandbox, user) if m.decidable and all(word in m.words for word in words)]
        return found[0] if found else None

    return sandbox.until(look, f"a reminder for {user} that says {words}")


def test_each_approver_is_reminded_and_may_decide_right_there(own: Sandbox) -> None:
    request = own.ask("rob", "Reports Reader", age=OLD)
    card = own.posted(request)
    ann, ben = reminded(own, "ann", "Reports Reader", "Rob Reed"), reminded(own, "ben", "Reports Reader")
    raw = next(m for c in own.world()["channels"] for m in c["messages"] if m["ts"] == ann.id)
    assert f"/archives/{card.channel}/p{card.id.replace('.', '')}" in str(raw["blocks"])
    assert "You approved" in own.approve("ann", ann, "Seen in the reminder")
    own.ended(request, "Approved by Ann Alder in Slack")
    assert own.request(request)["reviewed_by"] == "ann"

    def rewritten() -> bool:
        mine = [m for user in ("ann", "ben") for m in reminders(own, user) if m.id in (ann.id, ben.id)]
        return all("Approved by Ann Alder in Slack" in m.words and not m.decidable for m in mine) and len(mine) == 2

    own.until(rewritten, "both reminders to say who decided")
    assert own.command("ben", "history").words


def test_several_requests_are_one_message_with_buttons_for_each(own: Sandbox) -> None:
    before = {user: len(reminders(own, user)) for user in ("ann", "ben")}
    roles = ("Reports Reader", "Guest Inviter", "Directory Readers")
    requests = [own.ask("rita", role, age=OLD) for role in roles]
    for user in ("ann", "ben"):
        reminded(own, user, *roles)
        assert len(reminders(own, user)) == before[user] + 1
    own.decide_in_portal(requests[1], "ben", "deny", "Not today")

    def struck() -> bool:
        message = reminders(own, "ann")[-1]
        return "Denied by Ben Brook" in message.words and message.decidable

    own.until(struck, "one of three struck out")
    form = own.form("ann", reminders(own, "ann")[-1], DENY)
    own.submit("ann", form, "Ask again tomorrow", block="reason")
    assert "You denied" in own.outcome("ann")


def test_a_request_with_time_left_reminds_nobody(own: Sandbox) -> None:
    before = len(reminders(own, "ann"))
    own.posted(own.ask("rob", "Reports Reader", age="PT1H"))  # far from any threshold, also one that quiet hours move
    late = own.ask("rob", "Guest Inviter", age=OLD)
    own.posted(late)
    reminded(own, "ann", "Guest Inviter")
    assert [m for m in reminders(own, "ann")[before:] if "Reports Reader" in m.words] == []


def test_a_killed_bot_reminds_everybody_once(own: Sandbox) -> None:
    own.fault("slack", "chat.postMessage", "drop_after", seconds=0.5, times=1)
    request = own.ask("rob", "Directory Readers", age=OLD)
    own.until(lambda: own.cards(request), "the card")
    own.bot("kill")
    own.mend()
    own.bot("start")
    reminded(own, "ann", "Directory Readers")
    reminded(own, "ben", "Directory Readers")
    for user in ("ann", "ben"):
        assert len([m for m in reminders(own, user) if "Directory Readers" in m.words and m.decidable]) == 1


def settle(sandbox: Sandbox, user: str, **values: str) -> str:
    """Fill in the form of `/pim settings`; what the modal then says."""
    sandbox.post("command", {"user": user, "text": "settings"})

    def form() -> Shown | None:
        modal = sandbox.modal(user)
        return modal if modal and modal.kind == "pim_settings" else None

    opened = sandbox.until(form, f"the settings of {user}")
    sandbox.post("submit", {"user": user, "view_id": opened.id, "values": {"reminders": "on", **values}})

    def saved() -> str:
        modal = sandbox.modal(user)
        return modal.words if modal and "Saved." in modal.words else ""

    return sandbox.until(saved, f"the settings of {user} to be saved")


def test_while_all_approvers_are_away_the_card_says_so_and_nobody_is_reminded(own: Sandbox) -> None:
    before = len(reminders(own, "ann"))
    back = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    for user in ("ann", "ben"):
        assert "Away until" in settle(own, user, away_until=back, quiet_from="22:30", quiet_until="06:30")
    request = own.ask("rob", "Reports Reader", age=OLD)
    own.posted(request)
    own.until(lambda: "Everybody known to approve this is away." in own.cards(request)[0].words, "the card to say so")
    assert len(reminders(own, "ann")) == before
    for user in ("ann", "ben"):
        assert "You are not away." in settle(own, user, away_until="", quiet_from="", quiet_until="")


def test_where_nobody_can_be_reminded_the_thread_below_the_card_says_so_once(own: Sandbox) -> None:
    request = own.ask("rob", "Global Secure Access Administrator", age=OLD)  # no approver is named for this role
    card = own.posted(request)

    def notes() -> list[str]:
        channel = [m for c in own.world()["channels"] if c["id"] == card.channel for m in c["messages"]]
        below = [m["text"] for m in channel if m["thread_ts"] == card.id and m["ts"] != card.id]
        return [text for text in below if "Nobody could be reminded" in text]

    own.until(notes, "a note below the card")
    own.posted(own.ask("rob", "Reports Reader", age=OLD))
    reminded(own, "ann", "Reports Reader")
    assert len(notes()) == 1
