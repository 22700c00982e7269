"""PIM Approvals: decide Microsoft Entra PIM activation requests in Slack, as the human who clicked."""
