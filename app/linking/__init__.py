"""A Slack account becomes linked to a Microsoft account, stays so, or is frozen. It speaks no HTTP and no SQL.

`signing_in` walks the browser's pages, `freezing` is the way out for whoever did not sign in themselves.
"""

from __future__ import annotations

from app.linking.freezing import Freezing
from app.linking.signing_in import CACHE, PATIENCE, Linking
from app.linking.values import Confirm, Going, Linked, SlackProven

__all__ = ["CACHE", "PATIENCE", "Confirm", "Freezing", "Going", "Linked", "Linking", "SlackProven"]
