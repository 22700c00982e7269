"""What a person may enter: the state of inputs as Slack reports it in `state.values`. Pure; it changes no view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.sandbox.slack_state import interactive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.sandbox.slack_records import Json

# Element type -> the field that holds its value, the field that holds its first value.
FIELDS = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}


class ActError(Exception):
    """What was asked cannot be done by a person in Slack; the text is a plain sentence that says why."""


class FieldError(ActError):
    """Slack would not send this form; `block_id` is the input that it marks."""

    def __init__(self, block_id: str, sentence: str) -> None:
        super().__init__(sentence)
        self.block_id = block_id


def state_of(blocks: list[Json], given: Mapping[str, object]) -> Json:
    """`state.values`: each input's value from `given` (by block_id), else its initial value, else empty.

    Raises ActError for a block_id that is not there, or a value the element cannot take.
    """
    known = {block["block_id"]: block for block in blocks}
    for name in given:
        if not _stateful(known.get(name, {})):
            raise ActError(f"There is no input with block_id {name!r} here.")
    values: Json = {}
    for name, block in known.items():
        for element in _stateful(block):
            entry = _entered(element, given[name]) if name in given else _initial(element)
            values.setdefault(name, {})[element["action_id"]] = entry
    return values


def check_filled(blocks: list[Json], values: Json) -> None:
    """What Slack checks before it sends a submission: required inputs and lengths. Raises FieldError."""
    for block in blocks:
        if block["type"] != "input":
            continue
        element, label = block["element"], block["label"]["text"]
        value = values[block["block_id"]][element["action_id"]][FIELDS[element["type"]][0]]
        if value in (None, []):
            if not block.get("optional"):
                raise FieldError(block["block_id"], f"'{label}' must be filled in.")
        elif isinstance(value, str) and (problem := _wrong_length(element, label, value)):
            raise FieldError(block["block_id"], problem)


def option_of(element: Json, wanted: str) -> Json:
    """The option of a menu with this value or text. Raises ActError if it is not offered."""
    groups = element.get("option_groups", [{"options": element.get("options", [])}])
    options: list[Json] = [option for group in groups for option in group["options"]]
    for option in options:
        if wanted in {option["value"], option["text"]["text"]}:
            return option
    raise ActError(f"The menu does not offer {wanted!r}.")


def chosen(element: Json, value: str | None) -> Json:
    """What `actions` says was chosen; a button's own value unless `value` is given. Raises ActError."""
    if element["type"] == "button":
        return {} if value is None else {"value": value}
    if value is None:
        raise ActError("Say which option is chosen: give its value.")
    if element["type"] == "overflow":
        return {"selected_option": option_of(element, value)}
    entry = _entered(element, value)
    entry.pop("type")
    return entry


def _stateful(block: Json) -> list[Json]:
    return [element for element in interactive(block) if element["type"] in FIELDS] if block else []


def _initial(element: Json) -> Json:
    field, first = FIELDS[element["type"]]
    empty: Any = [] if field.endswith("s") else None
    return {"type": element["type"], field: element.get(first, empty)}


def _entered(element: Json, given: object) -> Json:
    field = FIELDS[element["type"]][0]
    value: object
    if field == "selected_options":
        value = [option_of(element, name) for name in _words(given)]
    elif field == "selected_users":
        value = _words(given)
    elif field == "selected_option":
        value = option_of(element, str(given)) if given else None
    elif field == "selected_date_time":
        value = int(str(given)) if given else None
    else:
        value = given or None  # an emptied text field is null, as in Slack
    return {"type": element["type"], field: value}


def _words(given: object) -> list[str]:
    parts = given if isinstance(given, list) else str(given or "").split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def _wrong_length(element: Json, label: str, value: str) -> str:
    if len(value) < element.get("min_length", 0):
        return f"'{label}' must have at least {element['min_length']} characters."
    if len(value) > element.get("max_length", 3000):
        return f"'{label}' must have at most {element.get('max_length', 3000)} characters."
    return ""
