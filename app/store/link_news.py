"""What becomes of a link, told where it happens: an audit row, and the direct messages that must not be lost.

Everything here runs in the transaction of whoever changed the link. It changes no link itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.ports import Link, Notice
from app.store.audit import Entry
from app.store.notices import owe

THE_BOT = "bot"  # who did it, where no human did
SIGNED_OUT, REMOVED = "signed_out", "removed"  # how accounts were unlinked: by their owner, by an operator


def entry(what: str, link: Link, who: str, at: datetime, more: Mapping[str, str]) -> Entry:
    """The audit row: both accounts, how the link stands now, and `more`. `who` did it: an object id or an operator."""
    facts = {
        "team": link.team,
        "slack_user": link.slack_user,
        "tenant": link.tenant,
        "oid": link.person.id,
        "upn": link.person.upn,
        "state": link.state.value,
        "generation": str(link.generation),
        **more,
    }
    return Entry(at, what, None, who, facts)


async def owe_receipt(connection: AsyncConnection, link: Link, notice_id: str, now: datetime) -> None:
    """Somebody signed in: the Slack account hears of it. `notice_id` is what its "this was not me" button carries."""
    facts = {**_named(link), "at": link.signed_in_at.isoformat()}
    receipt = Notice(notice_id, "linked", to_slack=link.slack_user, facts=facts)
    await owe(connection, receipt, f"linked:{link.id}:{link.generation}", now)


async def owe_suspended(connection: AsyncConnection, link: Link, now: datetime) -> None:
    """Their session is over: one message for each sign-in, however often it shows."""
    await _owe_once(connection, Notice(_edition("suspended", link), "suspended", to_slack=link.slack_user), now)


async def owe_unlinked(connection: AsyncConnection, link: Link, how: str, now: datetime) -> None:
    """The accounts are linked no more. `how`: SIGNED_OUT or REMOVED."""
    facts = {**_named(link), "how": how}
    await _owe_once(
        connection, Notice(_edition("unlinked", link), "unlinked", to_slack=link.slack_user, facts=facts), now
    )


async def owe_moved(connection: AsyncConnection, link: Link, earlier: Iterable[str], now: datetime) -> None:
    """The Microsoft account was linked to these Slack accounts before: each hears that it is somebody else's now."""
    for user in earlier:
        id_ = f"{_edition('moved', link)}:{user}"
        await _owe_once(connection, Notice(id_, "moved", to_slack=user, facts=_named(link)), now)


async def owe_forwarded(connection: AsyncConnection, both: Iterable[str], notice_id: str, now: datetime) -> None:
    """Two Slack accounts met in one sign-in. Either may be the one who is being tricked, so both hear of it."""
    for number, user in enumerate(both):
        await _owe_once(connection, Notice(f"{notice_id}:{number}", "link_refused", to_slack=user), now)


async def _owe_once(connection: AsyncConnection, notice: Notice, now: datetime) -> None:
    await owe(connection, notice, notice.id, now)


def _edition(topic: str, link: Link) -> str:
    return f"{topic}:{link.id}:{link.generation}"


def _named(link: Link) -> dict[str, str]:
    return {"name": link.person.name, "upn": link.person.upn}
