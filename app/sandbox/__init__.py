"""The emulated world: Microsoft, Slack and a page that shows them. It speaks the wire and imports nothing of ours."""
