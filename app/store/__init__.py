"""What the bot remembers: requests, cards, links, the audit trail. It never talks to Slack or to Microsoft."""
