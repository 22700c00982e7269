"""Slack as seen from inside: post, repaint, direct message. It says what rows say and decides nothing."""
