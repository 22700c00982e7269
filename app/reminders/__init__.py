"""What is about to expire, and whom to remind. Deadlines are rows that a round looks at; nothing is scheduled."""

from __future__ import annotations

from app.reminders.own_settings import OwnSettings
from app.reminders.recipients import Recipients
from app.reminders.rounds import Rounds

__all__ = ["OwnSettings", "Recipients", "Rounds"]
