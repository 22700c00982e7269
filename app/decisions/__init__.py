"""Approve or deny exactly once: from a click to Microsoft's word. It never paints, and never trusts a payload.

`opening` shows the modal, `deciding` walks the pipeline up to the claim, `sending` carries one intent to Microsoft and
finds out what became of it, also after a crash.
"""
