"""What is about to expire or end, and whom to tell. Deadlines are rows that a round looks at; nothing is scheduled."""

from __future__ import annotations

from app.reminders.last_calls import LastCalls
from app.reminders.nudging import Nudging
from app.reminders.own_settings import OwnSettings
from app.reminders.recipients import Recipients
from app.reminders.rounds import Rounds

__all__ = ["LastCalls", "Nudging", "OwnSettings", "Recipients", "Rounds"]
