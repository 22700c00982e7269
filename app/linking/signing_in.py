"""A Slack account becomes linked to a Microsoft account: the order of the pages, and what each may believe.

Slack first, because a link can be forwarded: whoever opens it must prove to be the Slack account that asked for it. It
speaks no HTTP and knows no provider. Nothing is stored before the last page's button; no page is believed twice. A
decision may wait for a sign-in: here it is only a name that is carried along.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.domain.errors import SignInFailed, Tampered
from app.domain.request import Person
from app.linking.values import (
    AGAIN,
    FORWARDED,
    FROZEN_SINCE,
    NO_COOKIE,
    TOO_OLD,
    Confirm,
    Going,
    Linked,
    SlackProven,
    linked_elsewhere,
    taken,
)
from app.ports import Clock, Flows, Link, Links, LinkState, MicrosoftIdentity, SignIn, WaitingDecision

PATIENCE = timedelta(minutes=10)  # for each page
CACHE = "token cache"  # the sealing purpose; refreshes in app.identity.tokens reseal under the same word
FIRST_VERSION = 1
_CARRIED = ("team", "user", "generation")  # from the first page to the last
LONGEST_TOKEN = 128  # characters


@dataclass(frozen=True, slots=True)
class _Stage:
    """What a page left for the next one: facts to read back, sealed under the hash of that page's token."""

    purpose: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Linking:
    """Making, renewing and ending links. Pages raise SignInFailed with a sentence to show, or Unavailable.

    `new_token` gives unguessable URL-safe text; `public_url` has no trailing slash; `team` is the one workspace.
    """

    sign_in: SignIn
    flows: Flows
    links: Links
    clock: Clock
    new_token: Callable[[], str]
    public_url: str
    team: str

    async def begin(self, team: str, user: str) -> str:
        """A one-time address for this Slack account, good for ten minutes. Show it to nobody else."""
        return await self._begin(team, user, {})

    async def verify(self, waiting: WaitingDecision, claims: str) -> str:
        """The same for somebody whose decision waits for it. `claims`: what Microsoft wants proven, if anything."""
        purpose = {"waiting": waiting.id, "hint": waiting.person.upn, "claims": claims}
        return await self._begin(waiting.team, waiting.slack_user, purpose)

    async def start(self, token: str) -> Going:
        """The start page's button: the address is used up, the cookie ties the rest to this browser.

        Opening the page uses up nothing, because chat programs open links to preview them.
        """
        starter = await self._take("sign-in: start", token)
        cookie, nonce = self.new_token(), self.new_token()
        facts = {**starter, "nonce": nonce, "cookie": _hash(cookie)}
        state = await self._leave(_Stage("sign-in: slack", facts))
        return Going(self.sign_in.slack_address(state, nonce), cookie)

    async def slack_returned(self, query: Mapping[str, str], cookie: str) -> SlackProven:
        """Slack sent the browser back: it must be the Slack account that started."""
        kept = await self._take("sign-in: slack", query.get("state", ""), cookie)
        if "code" not in query:
            raise SignInFailed(f"You cancelled the sign-in at Slack. {AGAIN}")
        slack = await self.sign_in.slack_identity(query["code"], kept["nonce"])
        if (slack.team, slack.user) != (kept["team"], kept["user"]):
            await self.links.forwarded(kept["team"], kept["user"], slack.user, self.clock())
            raise SignInFailed(FORWARDED)
        return await self._to_microsoft(kept, slack.name)

    async def microsoft_returned(self, form: Mapping[str, str], cookie: str) -> Confirm:
        """Microsoft sent the browser back: both accounts are known now, and still nothing is stored."""
        kept = await self._take("sign-in: microsoft", form.get("state", ""), cookie)
        identity = await self.sign_in.microsoft_identity(kept["flow"], form, self.clock())
        link = await self._link(kept, identity)
        waiting = kept.get("waiting", "")
        facts = {name: kept[name] for name in (*_CARRIED, "name", "cookie")} | {"waiting": waiting}
        token = await self._leave(_Stage(_last_stage(waiting), {**facts, "identity": _written(identity)}))
        return Confirm(token, kept["name"], link, waiting)

    async def confirm(self, token: str, cookie: str) -> Linked:
        """The last button: make the link, or renew it; the Slack account gets a receipt."""
        return await self._finished(await self._take(_last_stage(""), token, cookie))

    async def finish(self, token: str, cookie: str) -> Linked:
        """The last button of a sign-in that a decision waits for: the link is renewed, the decision still waits."""
        return await self._finished(await self._take(_last_stage("waiting"), token, cookie))

    async def sign_out(self, team: str, user: str) -> bool:
        """Forget the link and its tokens; False when there was none, or only a frozen one: that one stays frozen."""
        link = await self.links.by_slack(team, user)
        if link is None or link.state is LinkState.FROZEN:
            return False
        return await self.links.remove(link, self.clock())

    async def _begin(self, team: str, user: str, purpose: Mapping[str, str]) -> str:
        if team != self.team:
            raise SignInFailed("The bot works for another Slack workspace. Nothing was changed.")
        before = await self.links.by_slack(team, user)
        generation = before.generation if before is not None else 0
        facts = {"team": team, "user": user, "generation": generation, **purpose}
        token = await self._leave(_Stage("sign-in: start", facts))
        return f"{self.public_url}/sign-in/start/{token}"

    async def _to_microsoft(self, kept: Mapping[str, Any], name: str) -> SlackProven:
        # The flow can only be made for a known state, so the state is made before what is kept under it.
        state = self.new_token()
        claims, hint = kept.get("claims", ""), kept.get("hint", "")
        address, flow = await self.sign_in.microsoft_begin(state, claims=claims, login_hint=hint)
        facts = {fact: kept[fact] for fact in (*_CARRIED, "cookie")} | {"waiting": kept.get("waiting", "")}
        await self._keep(_Stage("sign-in: microsoft", {**facts, "name": name, "flow": flow}), state)
        return SlackProven(name, address)

    async def _finished(self, kept: Mapping[str, Any]) -> Linked:
        identity = _read(kept["identity"])
        link = await self._link(kept, identity)
        context = self.sign_in.cache_context(link, FIRST_VERSION)
        sealed = self.sign_in.seal(CACHE, context, identity.cache)
        if not await self.links.save(link, sealed, FIRST_VERSION, self.clock()):
            raise SignInFailed(taken(link.person))
        return Linked(link, kept["name"], kept.get("waiting", ""))

    async def _link(self, kept: Mapping[str, Any], identity: MicrosoftIdentity) -> Link:
        """The link to store; SignInFailed when either account is linked to somebody else, or was frozen meanwhile."""
        existing = await self._existing(kept["user"], identity.tenant, identity.person)
        if existing is not None and existing.state is LinkState.FROZEN and existing.generation != kept["generation"]:
            raise SignInFailed(FROZEN_SINCE)
        return self._renewed(kept["user"], identity, existing)

    async def _existing(self, user: str, tenant: str, person: Person) -> Link | None:
        """The link to renew, if there is one; SignInFailed when either account is linked to somebody else."""
        other = await self.links.by_entra(tenant, person.id)
        if other is not None and (other.team, other.slack_user) != (self.team, user):
            raise SignInFailed(taken(person))
        mine = await self.links.by_slack(self.team, user)
        if mine is not None and (mine.tenant, mine.person.id) != (tenant, person.id):
            raise SignInFailed(linked_elsewhere(mine.person, person))
        return mine

    def _renewed(self, user: str, identity: MicrosoftIdentity, existing: Link | None) -> Link:
        return Link(
            id=existing.id if existing else self.new_token(),
            team=self.team,
            slack_user=user,
            tenant=identity.tenant,
            person=identity.person,
            state=LinkState.ACTIVE,
            signed_in_at=identity.signed_in_at,
            generation=existing.generation + 1 if existing else 1,
        )

    async def _leave(self, stage: _Stage) -> str:
        token = self.new_token()
        await self._keep(stage, token)
        return token

    async def _keep(self, stage: _Stage, token: str) -> None:
        place = _hash(token)
        sealed = self.sign_in.seal(stage.purpose, place, json.dumps(stage.facts))
        await self.flows.put(place, sealed, self.clock() + PATIENCE)

    async def _take(self, purpose: str, token: str, cookie: str | None = None) -> dict[str, Any]:
        """Use up a token, whatever follows. A token of another page does not open, and counts as used."""
        sealed = await self.flows.take(_hash(token), self.clock()) if len(token) <= LONGEST_TOKEN else None
        if sealed is None:
            raise SignInFailed(TOO_OLD)
        try:
            kept: dict[str, Any] = json.loads(self.sign_in.open(purpose, _hash(token), sealed))
        except Tampered:
            raise SignInFailed(TOO_OLD) from None
        if cookie is not None and not hmac.compare_digest(_hash(cookie), kept["cookie"]):
            raise SignInFailed(NO_COOKIE)
        return kept


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _last_stage(waiting: str) -> str:
    """A token of one last page is worth nothing on the other."""
    return "sign-in: finish" if waiting else "sign-in: confirm"


def _written(identity: MicrosoftIdentity) -> dict[str, Any]:
    person = identity.person
    names = {"id": person.id, "name": person.name, "upn": person.upn, "mail": person.mail}
    at = identity.signed_in_at.isoformat()
    return {"tenant": identity.tenant, "person": names, "cache": identity.cache, "signed_in_at": at}


def _read(written: Mapping[str, Any]) -> MicrosoftIdentity:
    at = datetime.fromisoformat(written["signed_in_at"])
    return MicrosoftIdentity(written["tenant"], Person(**written["person"]), written["cache"], at)
