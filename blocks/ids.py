"""Every action, block and callback id once. It decides nothing: handlers listen to these names, builders print them."""

from __future__ import annotations

from typing import Final

APPROVE: Final = "pim_approve"
DENY: Final = "pim_deny"
SIGN_IN: Final = "pim_sign_in"  # asks for a one-time address; the address itself is never on a shared surface
NOT_ME: Final = "pim_not_me"  # freezes a link; its value names the receipt it stands under
PAGE: Final = "pim_page"  # older rows; its value says of what, and where to go on
NEWER: Final = "pim_newer"  # the same for newer ones
WITHDRAW: Final = "pim_withdraw"  # its value is a token of the place it stands at, like Approve's
NUDGE: Final = "pim_nudge"  # likewise
ANSWER: Final = "pim_answer"  # its value names the question it stands under
MORE: Final = "pim_more"  # the menu beside the buttons; what was chosen stands before the colon, the token behind it

SETTINGS: Final = "pim_settings"
REMOVE: Final = "pim_remove"  # on the card of an active role

# Buttons that open an address. Slack still reports the click, so each needs an ack and nothing else.
PORTAL: Final = "pim_portal"
ASK_AGAIN: Final = "pim_ask_again"
SIGN_IN_PAGE: Final = "pim_sign_in_page"
LINK_ACTIONS: Final = frozenset({PORTAL, ASK_AGAIN, SIGN_IN_PAGE})
ACTIONS: Final = LINK_ACTIONS | frozenset(
    {APPROVE, DENY, SIGN_IN, NOT_ME, PAGE, NEWER, MORE, ANSWER, SETTINGS, REMOVE, WITHDRAW, NUDGE}
)

# What the menu offers.
LOOKING: Final = "looking"
ASK: Final = "ask"
DETAILS: Final = "details"
PORTAL_CHOICE: Final = "portal"

DECIDE_MODAL: Final = "pim_decide"
ASK_MODAL: Final = "pim_ask"
ANSWER_MODAL: Final = "pim_answer"
SETTINGS_MODAL: Final = "pim_settings"
REMOVE_MODAL: Final = "pim_remove"
RESULT_MODAL: Final = "pim_result"  # has no submit button: it is only shown
WAITING: Final = "pim_waiting"  # the global shortcut "What waits for me"
COMMENT_BLOCK: Final = "comment"
REASON_BLOCK: Final = "reason"
TEMPLATE_BLOCK: Final = "template"  # ready-made reasons above the other
TEMPLATE_INPUT: Final = "pim_template"
WORDS_BLOCK: Final = "words"  # of a question or an answer
INPUTS: Final = {COMMENT_BLOCK: "pim_comment", REASON_BLOCK: "pim_reason", WORDS_BLOCK: "pim_words"}

# One's own settings, each an input of its own.
REMINDERS_BLOCK: Final = "reminders"
AWAY_BLOCK: Final = "away_until"
SINCE_BLOCK: Final = "quiet_from"
UNTIL_BLOCK: Final = "quiet_until"
SETTINGS_INPUTS: Final = {name: f"pim_{name}" for name in (REMINDERS_BLOCK, AWAY_BLOCK, SINCE_BLOCK, UNTIL_BLOCK)}

# Message metadata: how a message of ours is recognised when it is read back.
CARD_EVENT: Final = "pim_card"
NOTICE_EVENT: Final = "pim_notice"
NOTE_EVENT: Final = "pim_note"
DIRECT_EVENT: Final = "pim_direct"
WEEK: Final = "week:"  # how the topic of a weekly digest begins

_PREFIX: Final = "pim_"


def block(part: str, version: int = 0) -> str:
    """The block id of a part. Slack asks for new ids with every edit, hence the version of the row that is shown."""
    return f"{_PREFIX}{part}:{version}"


def ours(block_id: str) -> bool:
    """Whether a block id in a payload is one we print."""
    return block_id.startswith(_PREFIX) or block_id in (COMMENT_BLOCK, REASON_BLOCK, TEMPLATE_BLOCK, WORDS_BLOCK)
