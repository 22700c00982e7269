"""Whose tokens these are: what a token cache says of its one account, and what Graph says of a token."""

from __future__ import annotations

from typing import Any

import msal

from app.domain.errors import Tampered
from app.domain.request import Person
from app.identity.clouds import Cloud
from app.identity.wire import PinnedHttp

ME = "/v1.0/me?$select=id,displayName,userPrincipalName,mail"
OK = 200


def account_in(cache: msal.TokenCache, tenant: str, oid: str) -> dict[str, Any]:
    """The one account of the cache; Tampered if it is not this person's.

    A guest's `home_account_id` belongs to another tenant, so `local_account_id` is what counts: the object id here.
    """
    accounts = list(cache.search(cache.CredentialType.ACCOUNT))
    if len(accounts) != 1:
        raise Tampered
    account: dict[str, Any] = accounts[0]
    whose = (str(account.get("realm")).lower(), str(account.get("local_account_id")).lower())
    if whose != (tenant.lower(), oid.lower()):
        raise Tampered
    return account


async def me(http: PinnedHttp, cloud: Cloud, token: str, oid: str) -> Person | None:
    """Who Graph takes the bearer of this token for; None when that is not the person of this object id.

    Unavailable, Malformed when it cannot be asked.
    """
    answer = await http.get(cloud.graph + ME, bearer=token)
    told = answer.body
    if answer.status != OK or str(told.get("id", "")).casefold() != oid.casefold():
        return None
    return Person(
        oid.lower(),
        name=str(told.get("displayName") or ""),
        upn=str(told.get("userPrincipalName") or ""),
        mail=str(told.get("mail") or ""),
    )
