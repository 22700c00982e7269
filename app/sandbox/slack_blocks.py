"""Block Kit as tables: every block, element and composition object with its limits. It changes nothing.

Figures are those of Slack's reference pages for blocks, block elements and composition objects. The newest
block types are known by name only: their surfaces are checked, their insides are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.sandbox.slack_shapes import anything, fault, kind, many, record, string, truth, whole, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.sandbox.slack_shapes import Check, Rule

    Json = dict[str, Any]

IDENT = string(255)
LINK = string(3000)


def plain(most: int) -> Check:
    """A plain_text object of at most `most` code points."""
    return record({"type": word("plain_text"), "text": string(most)}, {"emoji": truth})


def either(most: int) -> Check:
    """A plain_text or mrkdwn object of at most `most` code points."""
    marked = record({"type": word("mrkdwn"), "text": string(most)}, {"verbatim": truth})
    return kind({"plain_text": plain(most), "mrkdwn": marked})


CONFIRM = record(
    {"title": plain(100), "text": either(300), "confirm": plain(30), "deny": plain(30)},
    {"style": word("primary", "danger")},
)
OPTION = record({"text": either(75), "value": string(150)}, {"description": either(150), "url": LINK})
OPTIONS = many(OPTION, 1, 100)
GROUPS = many(record({"label": plain(75), "options": OPTIONS}, {}), 1, 100)


def _element(must: dict[str, Check], may: dict[str, Check], *rules: Rule) -> Check:
    common = {"action_id": IDENT, "confirm": CONFIRM, "focus_on_load": truth}
    return record({"type": anything, **must}, {**common, **may}, *rules)


def _options_or_groups(element: Json, at: str) -> Iterator[str]:
    if ("options" in element) == ("option_groups" in element):
        yield fault("exactly one of options and option_groups is needed", at)
        return
    groups = element.get("option_groups") or [{"options": element.get("options")}]
    offered = [option["value"] for group in groups for option in group["options"]]
    if len(offered) != len(set(offered)):
        yield fault("option values must be unique", at)
    chosen = [element[name] for name in ("initial_option",) if name in element]
    for option in [*chosen, *element.get("initial_options", ())]:
        if option["value"] not in offered:
            yield fault("initial option must be one of the options", at)


def _length_order(element: Json, at: str) -> Iterator[str]:
    if element.get("min_length", 0) > element.get("max_length", 3000):
        yield fault("min_length must not exceed max_length", at)
    if len(element.get("initial_value", "")) > element.get("max_length", 3000):
        yield fault("initial_value must not exceed max_length", at)


def _menu(**more: Check) -> Check:
    return _element({}, {"placeholder": plain(150), **more})


def _choice(*, several: bool) -> Check:
    initial = {"initial_options": OPTIONS} if several else {"initial_option": OPTION}
    most = {"max_selected_items": whole(1, 100)} if several else {}
    offer = {"placeholder": plain(150), "options": OPTIONS, "option_groups": GROUPS}
    return _element({}, {**offer, **initial, **most}, _options_or_groups)


_HOOK = {"response_url_enabled": truth}
_TYPED = {
    "placeholder": plain(150),
    "initial_value": string(3000, 0),
    "dispatch_action_config": anything,
}
_LENGTHS = {"multiline": truth, "min_length": whole(0, 3000), "max_length": whole(1, 3000)}
_FEW = many(OPTION, 1, 10)

ELEMENTS: dict[str, Check] = {
    "button": _element(
        {"text": plain(75)},
        {
            "value": string(2000, 0),
            "url": LINK,
            "style": word("primary", "danger"),
            "accessibility_label": string(75),
        },
    ),
    "overflow": _element({"options": many(OPTION, 1, 5)}, {}),
    "static_select": _choice(several=False),
    "multi_static_select": _choice(several=True),
    "external_select": _menu(initial_option=OPTION, min_query_length=whole(0, 255)),
    "users_select": _menu(initial_user=IDENT),
    "multi_users_select": _menu(initial_users=many(IDENT, 1, 100), max_selected_items=whole(1, 100)),
    "conversations_select": _menu(
        initial_conversation=IDENT, **_HOOK, filter=anything, default_to_current_conversation=truth
    ),
    "channels_select": _menu(initial_channel=IDENT, **_HOOK),
    "radio_buttons": _element({"options": _FEW}, {"initial_option": OPTION}, _options_or_groups),
    "checkboxes": _element({"options": _FEW}, {"initial_options": _FEW}, _options_or_groups),
    "datepicker": _menu(initial_date=string(10, 10)),
    "timepicker": _menu(initial_time=string(5, 5), timezone=IDENT),
    "datetimepicker": _element({}, {"initial_date_time": whole(0, 9_999_999_999)}),
    "plain_text_input": _element({}, {**_TYPED, **_LENGTHS}, _length_order),
    "email_text_input": _element({}, _TYPED),
    "url_text_input": _element({}, _TYPED),
    "number_input": _element({"is_decimal_allowed": truth}, {**_TYPED, "min_value": anything, "max_value": anything}),
    "image": record({"type": anything, "alt_text": string(2000)}, {"image_url": LINK, "slack_file": anything}),
}
_INPUTS = (
    *("plain_text_input", "email_text_input", "url_text_input", "number_input"),
    *("static_select", "multi_static_select", "external_select", "users_select", "multi_users_select"),
    *("conversations_select", "channels_select", "radio_buttons", "checkboxes"),
    *("datepicker", "timepicker", "datetimepicker"),
)
_PRESSED = [
    name
    for name in ELEMENTS
    if name not in {"image", "multi_static_select", "multi_users_select"} and not name.endswith("_input")
]
_BESIDE = [name for name in ELEMENTS if not name.endswith("_input")]

_STYLE = record(
    {},
    dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), truth),
)
_MENTION = record({}, dict.fromkeys(("bold", "italic", "strike", "highlight", "client_highlight", "unlink"), truth))
_T: dict[str, Check] = {"type": anything}
LEAVES: dict[str, Check] = {
    "text": record({**_T, "text": string(40_000)}, {"style": _STYLE}),
    "link": record({**_T, "url": LINK}, {"text": string(40_000, 0), "unsafe": truth, "style": _STYLE}),
    "user": record({**_T, "user_id": IDENT}, {"style": _MENTION}),
    "usergroup": record({**_T, "usergroup_id": IDENT}, {"style": _MENTION}),
    "channel": record({**_T, "channel_id": IDENT}, {"style": _MENTION}),
    "emoji": record({**_T, "name": IDENT}, {"unicode": IDENT, "style": _STYLE}),
    "date": record(
        {**_T, "timestamp": whole(0, 9_999_999_999), "format": IDENT},
        {"fallback": string(3000), "url": LINK, "style": _STYLE},
    ),
    "broadcast": record({**_T, "range": word("here", "channel", "everyone")}, {"style": _STYLE}),
    "color": record({**_T, "value": IDENT}, {"style": _STYLE}),
}
_RUN = many(kind(LEAVES), 0, 1000)
_SECTION = record({**_T, "elements": _RUN}, {})
PARTS: dict[str, Check] = {
    "rich_text_section": _SECTION,
    "rich_text_list": record(
        {
            **_T,
            "style": word("bullet", "ordered"),
            "elements": many(kind({"rich_text_section": _SECTION}), 1, 1000),
        },
        {"indent": whole(0, 8), "offset": whole(0, 10_000), "border": whole(0, 1)},
    ),
    "rich_text_quote": record({**_T, "elements": _RUN}, {"border": whole(0, 1)}),
    "rich_text_preformatted": record({**_T, "elements": _RUN}, {"border": whole(0, 1), "language": IDENT}),
}


def _text_or_fields(block: Json, at: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield fault("either text or fields is needed", at)


def _one_action_id(block: Json, at: str) -> Iterator[str]:
    named = [e["action_id"] for e in block["elements"] if "action_id" in e]
    for name in sorted({n for n in named if named.count(n) > 1}):
        yield fault(f"`action_id` {name} already exists in this block", f"{at}/elements")


def _block(must: dict[str, Check], may: dict[str, Check], *rules: Rule) -> Check:
    return record({"type": anything, **must}, {"block_id": IDENT, **may}, *rules)


_CONTEXT = kind({"image": ELEMENTS["image"], "plain_text": either(3000), "mrkdwn": either(3000)})
_TITLED = {"title": plain(2000)}
_NAMED_ONLY = (
    *("alert", "card", "carousel", "container", "table", "data_table", "data_visualization"),
    *("markdown", "plan", "task_card", "context_actions", "video"),
)

BLOCKS: dict[str, Check] = {
    "section": _block(
        {},
        {
            "text": either(3000),
            "fields": many(either(2000), 1, 10),
            "accessory": kind(ELEMENTS, *_BESIDE),
            "expand": truth,
        },
        _text_or_fields,
    ),
    "header": _block({"text": plain(150)}, {}),
    "divider": _block({}, {}),
    "context": _block({"elements": many(_CONTEXT, 1, 10)}, {}),
    "actions": _block({"elements": many(kind(ELEMENTS, *_PRESSED), 1, 25)}, {}, _one_action_id),
    "image": _block({"alt_text": string(2000)}, {"image_url": LINK, "slack_file": anything, **_TITLED}),
    "input": _block(
        {"label": plain(2000), "element": kind(ELEMENTS, *_INPUTS)},
        {"hint": plain(2000), "optional": truth, "dispatch_action": truth},
    ),
    "rich_text": _block({"elements": many(kind(PARTS), 1, 1000)}, {}),
    **dict.fromkeys(_NAMED_ONLY, anything),
}

_EVERYWHERE = frozenset(("actions", "context", "divider", "header", "image", "input", "rich_text", "section", "video"))
SURFACES: dict[str, frozenset[str]] = {
    "message": _EVERYWHERE | set(_NAMED_ONLY) - {"alert"},
    "modal": _EVERYWHERE | {"alert"},
    "home": _EVERYWHERE | {"card", "carousel"},
}
