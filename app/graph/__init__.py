"""Microsoft's desks: what is pending there, and how a decision is sent. It never meets MSAL, Slack or the database."""
