"""The HTTP door: the Slack gate, sign-in pages, health. It decides nothing, and meets neither Microsoft nor SQL."""
