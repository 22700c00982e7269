"""`python -m app` does what `pim-approvals` does."""

from __future__ import annotations

from app.cli import main

main()
