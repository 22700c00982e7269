"""Anchors are found again in whatever they were written into."""

from __future__ import annotations

import pytest

from app.domain.anchors import Anchor, read_anchors

MAC = "3b5d5c37" * 8


@pytest.mark.parametrize(
    "line",
    [
        str(Anchor(12, MAC)),
        f"2026-11-25 19:00:01,123 INFO app.anchoring: {Anchor(12, MAC)}\n",
        f'{{"event": "{Anchor(12, MAC)}", "level": "info"}}',
        f"PIM Approvals APP 19:00\taudit_anchor  12 {MAC}.",
    ],
)
def test_an_anchor_is_found_whatever_stands_around_it(line: str) -> None:
    assert list(read_anchors(["nothing here", line])) == [Anchor(12, MAC)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "audit_anchor",
        f"audit_anchor 12 {MAC[:-1]}",
        f"audit_anchor 12 {MAC}0",
        f"audit_anchor x {MAC}",
        f"12 {MAC}",
    ],
)
def test_what_is_no_anchor_is_none(line: str) -> None:
    assert list(read_anchors([line])) == []


def test_a_line_may_hold_several() -> None:
    several = [Anchor(1, MAC), Anchor(2, MAC[::-1])]
    assert list(read_anchors([" ".join(map(str, several))])) == several
