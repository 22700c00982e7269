"""The form of one's own settings, and what was kept. It says what they change, and that they allow nothing."""

from __future__ import annotations

from datetime import time

from slack_sdk.models import blocks as slack
from slack_sdk.models.views import View as SlackView

from app.domain.preferences import Preference
from app.domain.quiet import Quiet
from app.ports import View
from blocks import ids
from blocks.elements import TEXT_LIMIT, Line, date, labelled, own, plain, rich, section

ON, OFF = "on", "off"
_ABOUT = "These settings are yours alone. They change the messages you get, never what you may decide."
_AWAY_HINT = (
    "The day you are back. You get no reminders before it; when everybody who may approve a request is away, its card "
    "says so."
)


def settings_form(preference: Preference, company: Quiet | None) -> View:
    """The settings as they are. `company`: the quiet hours that hold while both times are empty."""
    quiet = _own_hours(preference)
    theirs = f"the company's ({company})" if company is not None else "none, as the company has it"
    hint = f"Both empty: {theirs}. The same time twice: none. What would come in them comes before."
    view = SlackView(
        type="modal",
        callback_id=ids.SETTINGS_MODAL,
        title=plain("Your settings", _TITLE_LIMIT),
        submit=plain("Save", _TITLE_LIMIT),
        close=plain("Cancel", _TITLE_LIMIT),
        blocks=[
            rich(section((own(_ABOUT),))),
            _input(ids.REMINDERS_BLOCK, "Reminders", _reminders(on=preference.reminders), optional=False),
            _input(ids.AWAY_BLOCK, "Away until", _day(preference), hint=_AWAY_HINT),
            _input(ids.SINCE_BLOCK, "Quiet from", _time(ids.SINCE_BLOCK, quiet[0])),
            _input(ids.UNTIL_BLOCK, "Quiet until", _time(ids.UNTIL_BLOCK, quiet[1]), hint=hint),
        ],
    )
    return view.to_dict()


def saving_modal() -> View:
    """Between Save and what became of it."""
    return _shown(rich(section((own("Saving…"),))))


def saved_modal(preference: Preference, company: Quiet | None) -> View:
    """What is kept now, in words."""
    return _shown(rich(section((own("Saved.", bold=True),), *_lines(preference, company))))


def _lines(preference: Preference, company: Quiet | None) -> list[Line]:
    away: Line = (own("You are not away."),)
    if preference.away_until is not None:
        away = labelled("Away until", date(preference.away_until))
    hours = preference.hours(company)
    whose = "" if preference.quiet is not None else " (the company's)"
    return [
        labelled("Reminders", own("on" if preference.reminders else "off")),
        away,
        labelled("Quiet hours", own(f"{hours or 'none'}{whose}")),
    ]


def _own_hours(preference: Preference) -> tuple[time | None, time | None]:
    """What the two times show; one's own wish for none at all is the same time twice."""
    if preference.quiet is None:
        return None, None
    hours = preference.hours(None)
    return (hours.since, hours.until) if hours is not None else (time(0), time(0))


def _reminders(*, on: bool) -> slack.InputInteractiveElement:
    options = {
        ON: slack.Option(value=ON, text=plain("Remind me before requests expire", _OPTION_LIMIT)),
        OFF: slack.Option(value=OFF, text=plain("No reminders", _OPTION_LIMIT)),
    }
    return slack.RadioButtonsElement(
        action_id=ids.SETTINGS_INPUTS[ids.REMINDERS_BLOCK],
        options=list(options.values()),
        initial_option=options[ON if on else OFF],
    )


def _day(preference: Preference) -> slack.InputInteractiveElement:
    day = preference.back_on.isoformat() if preference.back_on is not None else None
    return slack.DatePickerElement(action_id=ids.SETTINGS_INPUTS[ids.AWAY_BLOCK], initial_date=day)


def _time(block_id: str, at: time | None) -> slack.InputInteractiveElement:
    shown = f"{at:%H:%M}" if at is not None else None
    return slack.TimePickerElement(action_id=ids.SETTINGS_INPUTS[block_id], initial_time=shown)


def _input(
    block_id: str, label: str, element: slack.InputInteractiveElement, *, hint: str = "", optional: bool = True
) -> slack.Block:
    return slack.InputBlock(
        block_id=block_id,
        label=plain(label, TEXT_LIMIT),
        hint=plain(hint, TEXT_LIMIT) if hint else None,
        optional=optional,
        element=element,
    )


def _shown(*blocks: slack.Block) -> View:
    view = SlackView(
        type="modal",
        callback_id=ids.RESULT_MODAL,
        title=plain("Your settings", _TITLE_LIMIT),
        close=plain("Close", _TITLE_LIMIT),
        blocks=blocks,
    )
    return view.to_dict()


_TITLE_LIMIT = 24
_OPTION_LIMIT = 75
