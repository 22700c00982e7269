"""Making text harmless, and times."""

from __future__ import annotations

import html
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.text import escaped, hour, inert, utc, when

ANY_TEXT = st.text(st.characters())  # lone surrogates and NUL included


@pytest.mark.parametrize(
    "raw,shown",
    [
        ("pay\u202eroll", "pay⟨U+202E⟩roll"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("a\x00b", "a⟨U+0000⟩b"),
        ("a\ud800b", "a⟨U+D800⟩b"),
        ("hi\U000e0041", "hi⟨U+E0041⟩"),
        ("a\u2028b", "a⟨U+2028⟩b"),
        ("a\U000e0100b", "a⟨U+E0100⟩b"),
        ("a\u3164b", "a⟨U+3164⟩b"),
        ("  one\n\n two\t three \r\n", "one two three"),
        ("a\u00a0\u2003b", "a b"),
        ("Zoë Ångström 李雷 ❤️", "Zoë Ångström 李雷 ❤️"),
        ("*b* _i_ :x: <@U1> &", "*b* _i_ :x: <@U1> &"),
        ("", ""),
    ],
)
def test_nothing_hidden_stays_hidden(raw: str, shown: str) -> None:
    assert inert(raw, 100) == shown


def test_line_breaks_stay_only_where_asked() -> None:
    assert inert("one\r\ntwo\n\n\n\nthree\n", 100, lines=True) == "one\ntwo\n\nthree"


def test_stacked_marks_are_shown_as_numbers_after_the_fourth() -> None:
    assert inert("a" + "\u0301" * 6, 100) == "a" + "\u0301" * 4 + "⟨U+0301⟩" * 2


def test_cutting_never_leaves_half_an_escape() -> None:
    assert inert("ab\u202ecd", 9) == "ab…"
    assert inert("ab\u202ecd", 12) == "ab⟨U+202E⟩cd"


@given(raw=ANY_TEXT, limit=st.integers(1, 50), lines=st.booleans())
def test_inert_text_is_short_and_holds_nothing_hidden(*, raw: str, limit: int, lines: bool) -> None:
    said = inert(raw, limit, lines=lines)
    assert len(said) <= limit
    said.encode()
    hidden = {char for char in said if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
    assert hidden <= ({"\n"} if lines else set())


@given(ANY_TEXT)
def test_inert_text_is_stable(raw: str) -> None:
    once = inert(raw, 10_000)
    assert inert(once, 10_000) == once


@given(ANY_TEXT, st.integers(1, 50))
def test_escaped_text_is_short_and_holds_no_token(raw: str, limit: int) -> None:
    said = escaped(raw, limit)
    assert len(said) <= limit
    assert not set("<>\n`") & set(said)
    assert "&" not in said.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


@given(ANY_TEXT)
def test_escaping_is_undone_by_reading(raw: str) -> None:
    plain = raw.translate({ord(mark): None for mark in "*_~`:"})
    assert html.unescape(escaped(plain, 100_000)) == inert(plain, 100_000)


def test_many_brackets_are_escaped_and_then_cut() -> None:
    assert escaped("<" * 5000, 30) == "&lt;" * 7 + "…"


@pytest.mark.parametrize(
    "raw,shown",
    [
        ("*Approved by CISO*", "∗Approved by CISO∗"),
        ("_a_ ~b~ `c`", "＿a＿ ∼b∼ ˋcˋ"),
        (":white_check_mark: fine", "∶white_check_mark: fine"),
        ("svc_backup_01", "svc_backup_01"),
        ("at 10:30", "at 10:30"),
    ],
)
def test_formatting_cannot_be_faked_in_mrkdwn(raw: str, shown: str) -> None:
    assert escaped(raw, 100) == shown


def test_date_token_falls_back_to_utc() -> None:
    moment = datetime(2026, 11, 23, 15, 30, tzinfo=timezone(timedelta(hours=1)))
    assert when(moment) == "<!date^1795444200^{date_short_pretty} {time}|2026-11-23 14:30 UTC>"


@pytest.mark.parametrize("moment", [None, datetime(1, 1, 1, tzinfo=UTC)])
def test_no_time_is_said_to_be_unknown(moment: datetime | None) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert [when(moment), utc(moment), hour(moment, now)] == ["unknown time"] * 3


def test_hour_carries_the_day_when_it_is_not_today() -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert hour(now + timedelta(hours=3), now) == "12:00 UTC"
    assert hour(now + timedelta(hours=23), now) == "24 Nov 08:00 UTC"
    assert hour(now - timedelta(hours=25), now) == "22 Nov 08:00 UTC"
    assert hour(now + timedelta(days=90), now) == "2027-02-21 09:00 UTC"
