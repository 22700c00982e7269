"""The emulated world: Microsoft, Slack and a page that shows them; speaks the wire only and imports nothing of the bot."""
