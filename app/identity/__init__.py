"""Who people are: signing in with Slack and Microsoft, and the tokens that follow. It never meets cards or tables."""
