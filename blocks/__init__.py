"""What the bot looks like in Slack: domain values in, Block Kit out. Pure: it asks nobody and sends nothing."""
