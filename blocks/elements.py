"""The few Slack objects we use, one small function each. Every string goes through `inert` here, nowhere else.

`own` is for words of ours, `said` for text from people or Microsoft; neither can become mrkdwn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slack_sdk.models import blocks as slack
from slack_sdk.models.blocks import Option

from app.ports import Block
from blocks import text as strings

Part = slack.RichTextElement
Line = Sequence[Part]
Button = slack.ButtonElement
Element = slack.InteractiveElement

HEADER_LIMIT = 150  # Slack's own limits, in code points
BUTTON_LIMIT = 75
CONFIRM_TITLE_LIMIT, CONFIRM_TEXT_LIMIT, CONFIRM_BUTTON_LIMIT = 100, 300, 30
TEXT_LIMIT = 3000


def own(words: str, *, bold: bool = False) -> Part:
    """Fixed words of ours; unlike `said` it keeps outer blanks."""
    return slack.RichTextElementParts.Text(text=words, style={"bold": True} if bold else None)


def said(text: str, limit: int, *, bold: bool = False) -> Part:
    """Untrusted text as a rich_text element, which Slack never parses."""
    return own(strings.inert(text, limit) or strings.NOTHING, bold=bold)


def clock(moment: datetime | None) -> Part:
    """The time alone, in each reader's own time zone, of what is minutes away."""
    return date(moment, strings.TIME_FORMAT)


def date(moment: datetime | None, shown: str = strings.DATE_FORMAT) -> Part:
    """A time in each reader's own time zone."""
    at = strings.known(moment)
    if at is None:
        return own(strings.UNKNOWN_TIME)
    return slack.RichTextElementParts.Date(timestamp=int(at.timestamp()), format=shown, fallback=strings.utc(at))


def mention(id_: str) -> Part:
    """A person, or a user group (its id begins with S), who is notified when the message is posted."""
    if id_.startswith("S"):
        return slack.RichTextElementParts.UserGroup(usergroup_id=id_)
    return slack.RichTextElementParts.User(user_id=id_)


def link(url: str, words: str) -> Part:
    """An address of ours under fixed words."""
    return slack.RichTextElementParts.Link(url=url, text=words)


def labelled(label: str, *parts: Part) -> Line:
    """`Label: parts`."""
    return (own(f"{label}: ", bold=True), *parts)


def section(*lines: Line) -> slack.RichTextElement:
    """Lines below each other."""
    parts = [part for number, line in enumerate(lines) for part in ((own("\n"), *line) if number else line)]
    return slack.RichTextSectionElement(elements=parts)


def quote(text: str, limit: int, *, lines: bool = False) -> slack.RichTextElement:
    """Somebody's own words, set apart by a bar."""
    words = own(strings.inert(text, limit, lines=lines) or strings.NOTHING)
    return slack.RichTextQuoteElement(elements=[words])


def bullets(texts: Sequence[str], limit: int) -> slack.RichTextElement:
    """A list with one text an item."""
    items = [slack.RichTextSectionElement(elements=[said(text, limit)]) for text in texts]
    return slack.RichTextListElement(style="bullet", elements=items)


def rich(*elements: slack.RichTextElement, block_id: str | None = None) -> slack.Block:
    """Sections, quotes and lists as one block."""
    return slack.RichTextBlock(elements=elements, block_id=block_id)


def header(text: str, block_id: str | None = None) -> slack.Block:
    """A large line."""
    return slack.HeaderBlock(text=plain(text, HEADER_LIMIT), block_id=block_id)


def context(text: str, block_id: str | None = None) -> slack.Block:
    """A small grey line."""
    return slack.ContextBlock(elements=[plain(text, TEXT_LIMIT)], block_id=block_id)


def plain(text: str, limit: int) -> slack.PlainTextObject:
    """A plain_text object; emoji codes stay the letters they are."""
    return slack.PlainTextObject(text=strings.inert(text, limit) or strings.NOTHING, emoji=False)


def button(
    action_id: str,
    words: str,
    value: str,
    *,
    style: str | None = None,
    label: str = "",
    confirm: slack.ConfirmObject | None = None,
) -> Button:
    """A button that reports `value`; `label` is what a screen reader says instead of its words.

    `confirm`: what Slack asks before it reports anything.
    """
    return slack.ButtonElement(
        action_id=action_id,
        text=plain(words, BUTTON_LIMIT),
        value=value,
        style=style,
        accessibility_label=strings.inert(label, BUTTON_LIMIT) or None,
        confirm=confirm,
    )


def confirmation(title: str, text: str, yes: str, no: str) -> slack.ConfirmObject:
    """A question of Slack's own before a button does something that cannot be undone."""
    return slack.ConfirmObject(
        title=plain(title, CONFIRM_TITLE_LIMIT),
        text=plain(text, CONFIRM_TEXT_LIMIT),
        confirm=plain(yes, CONFIRM_BUTTON_LIMIT),
        deny=plain(no, CONFIRM_BUTTON_LIMIT),
        style="danger",
    )


def link_button(action_id: str, words: str, url: str) -> Button:
    """A button that opens an address in the browser."""
    return slack.ButtonElement(action_id=action_id, text=plain(words, BUTTON_LIMIT), url=url)


def choice(words: str, value: str, *, url: str = "") -> Option:
    """An entry of a menu; one with an address opens it in the browser."""
    return Option(text=plain(words, BUTTON_LIMIT), value=value, url=url or None)


def overflow(action_id: str, *choices: Option) -> Element:
    """The "⋯" menu, of one to five entries; it reports the value of the one that was chosen."""
    return slack.OverflowMenuElement(action_id=action_id, options=choices)


def actions(block_id: str, *elements: Element) -> slack.Block:
    """Buttons and menus in a row."""
    return slack.ActionsBlock(elements=elements, block_id=block_id)


def text_input(label: str, block_id: str, action_id: str, hint: str, most: int) -> slack.Block:
    """A required text of several lines, at most `most` characters."""
    return slack.InputBlock(
        block_id=block_id,
        label=plain(label, TEXT_LIMIT),
        hint=plain(hint, TEXT_LIMIT),
        element=slack.PlainTextInputElement(action_id=action_id, multiline=True, max_length=most),
    )


def wire(*blocks: slack.Block | None) -> list[Block]:
    """The blocks as JSON, checked by the SDK; None is left out."""
    return [block.to_dict() for block in blocks if block is not None]
