"""What comes in from Slack: acknowledge, parse, call one use case, answer. No rule lives here."""

from __future__ import annotations

from handlers.registration import Listeners, register

__all__ = ["Listeners", "register"]
