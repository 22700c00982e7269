"""Slack's payloads as values, parsed once at the door. What is not in these values is never believed.

The text, blocks and names in a payload are display data; only ids, tokens and what somebody typed are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.request import Verdict
from blocks import ids

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """One press on one of our buttons, and where it was pressed (`ts` is empty outside a message).

    `choice` is what was chosen in a menu; `value` is then what stands behind it.
    """

    team: str
    user: str
    channel: str
    ts: str
    action_id: str
    value: str
    key: str
    trigger_id: str
    response_url: str
    choice: str = ""

    @property
    def verdict(self) -> Verdict:
        """What the pressed button stands for."""
        return Verdict.APPROVE if self.action_id == ids.APPROVE else Verdict.DENY


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submitted decision modal: its own token and what was written."""

    team: str
    user: str
    token: str
    view_id: str
    comment: str
    block_id: str
    key: str


@dataclass(frozen=True, slots=True)
class Written:
    """A submitted question or answer: the form's own token and the words."""

    team: str
    user: str
    token: str
    words: str
    key: str
    view_id: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A submitted form of one's own settings: what was chosen, by block; what was left empty is missing."""

    team: str
    user: str
    view_id: str
    values: Mapping[str, str]
    key: str


@dataclass(frozen=True, slots=True)
class Command:
    """A typed `/pim ...`."""

    team: str
    user: str
    words: tuple[str, ...]
    key: str
    response_url: str
    trigger_id: str = ""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A global shortcut, chosen anywhere in Slack."""

    team: str
    user: str
    key: str
    trigger_id: str


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody opened the App Home tab."""

    team: str
    user: str
    key: str


def parse_action(body: Body) -> Action | None:
    """The one action of a block_actions payload; None when it is not exactly one of ours."""
    actions = body.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], Mapping):
        return None
    action, container = actions[0], _part(body, "container")
    action_id = _text(action, "action_id")
    if action_id not in ids.ACTIONS or not ids.ours(_text(action, "block_id")):
        return None
    user = _text(_part(body, "user"), "id")
    channel = _text(container, "channel_id")
    where = channel + _text(container, "message_ts") or _text(container, "view_id")
    parts = (_text(_part(body, "team"), "id"), user, where, _text(action, "action_ts"), action_id)
    choice, _, chosen = _text(_part(action, "selected_option"), "value").partition(":")
    return Action(
        team=parts[0],
        user=user,
        channel=channel,
        ts=_text(container, "message_ts"),
        action_id=action_id,
        value=chosen if choice else _text(action, "value"),
        key="action:" + ":".join(parts),
        trigger_id=_text(body, "trigger_id"),
        response_url=_text(body, "response_url"),
        choice=choice,
    )


def parse_submission(body: Body) -> Submitted | None:
    """A submission of our decision modal; None when it carries no token."""
    view = _part(body, "view")
    token = _text(view, "private_metadata")
    if _text(view, "callback_id") != ids.DECIDE_MODAL or not token:
        return None
    values = _part(_part(view, "state"), "values")
    block_id = ids.REASON_BLOCK if ids.REASON_BLOCK in values else ids.COMMENT_BLOCK
    written = _text(_input(values, block_id), "value")
    chosen = _text(_part(_input(values, ids.TEMPLATE_BLOCK), "selected_option"), "value")
    return Submitted(
        team=_text(_part(body, "team"), "id"),
        user=_text(_part(body, "user"), "id"),
        token=token,
        view_id=_text(view, "id"),
        comment=f"{chosen} {written}".strip() if block_id == ids.REASON_BLOCK else written,
        block_id=block_id,
        key="submission:" + _text(body, "trigger_id"),
    )


def parse_written(body: Body) -> Written:
    """A submission of the form of a question, of an answer, or of a removal."""
    view = _part(body, "view")
    values = _part(_part(view, "state"), "values")
    return Written(
        team=_text(_part(body, "team"), "id"),
        user=_text(_part(body, "user"), "id"),
        token=_text(view, "private_metadata"),
        words=_text(_input(values, ids.WORDS_BLOCK), "value"),
        key="submission:" + _text(body, "trigger_id"),
        view_id=_text(view, "id"),
    )


def parse_chosen(body: Body) -> Chosen:
    """A submission of the form of one's own settings."""
    view = _part(body, "view")
    values = _part(_part(view, "state"), "values")
    chosen = {block: _choice_of(_input(values, block)) for block in ids.SETTINGS_INPUTS}
    return Chosen(
        team=_text(_part(body, "team"), "id"),
        user=_text(_part(body, "user"), "id"),
        view_id=_text(view, "id"),
        values={block: value for block, value in chosen.items() if value},
        key="submission:" + _text(body, "trigger_id"),
    )


def parse_command(body: Body) -> Command:
    """A slash command. Words are cut at blanks; their case is kept, since a name may follow."""
    return Command(
        team=_text(body, "team_id"),
        user=_text(body, "user_id"),
        words=tuple(_text(body, "text").split()),
        key="command:" + _text(body, "trigger_id"),
        response_url=_text(body, "response_url"),
        trigger_id=_text(body, "trigger_id"),
    )


def parse_shortcut(body: Body) -> Shortcut:
    """A global shortcut; it carries nothing but who, and a trigger."""
    trigger = _text(body, "trigger_id")
    return Shortcut(_text(_part(body, "team"), "id"), _text(_part(body, "user"), "id"), f"shortcut:{trigger}", trigger)


def parse_opened(body: Body) -> Opened | None:
    """An app_home_opened event for the Home tab; None for the other tab."""
    event = _part(body, "event")
    if _text(event, "tab") != "home":
        return None
    return Opened(_text(body, "team_id"), _text(event, "user"), "event:" + _text(body, "event_id"))


def _choice_of(element: Mapping[str, Any]) -> str:
    """An option, a day or a time."""
    option = _text(_part(element, "selected_option"), "value")
    return option or _text(element, "selected_date") or _text(element, "selected_time")


def _input(values: Mapping[str, Any], block_id: str) -> Mapping[str, Any]:
    """What the one element of an input block holds."""
    inputs = list(_part(values, block_id).values())
    return inputs[0] if inputs and isinstance(inputs[0], Mapping) else {}


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
