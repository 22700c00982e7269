"""The HTTP door: the Slack gate, sign-in pages, health. It decides nothing and never meets Microsoft or the database."""
