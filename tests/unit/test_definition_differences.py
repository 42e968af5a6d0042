"""Differences between two versions, as people read them."""

from typing import Any

import pytest

from stagebell.domain.differences import compare, lines_between


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ({"a": 1}, {"a": 2}, "a: 1 → 2"),
        ({"a": "1"}, {"a": 1}, "a: 1 → 1"),  # text and number are not the same
        ({"a": True}, {"a": 1}, "a: true → 1"),  # though Python thinks so
        ({}, {"a": {"b": [1, "x"]}}, "a: added {b: [1, x]}"),
        ({"a": None}, {}, "a: removed (was null)"),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, "a.b: x → y"),
        ({"a": ["x", "y"]}, {"a": ["x"]}, "a: [x, y] → [x]"),
        ({"s": [{"name": "m", "v": 1}]}, {"s": [{"name": "m", "v": 2}]}, "s.m.v: 1 → 2"),
        ({"s": [{"name": "m"}, {"name": "n"}]}, {"s": [{"name": "n"}, {"name": "m"}]}, "s: now in the order n, m"),
        ({"a": "one\ntwo"}, {"a": "two"}, 'a: "one\\ntwo" → two'),
        ({"a": "x" * 200}, {"a": "y"}, f"a: {'x' * 119}… → y"),
    ],
)
def test_a_change_is_one_line(old: Any, new: Any, line: str) -> None:
    assert list(lines_between(old, new)) == [line]


def test_what_is_the_same_has_no_lines() -> None:
    document = {"steps": [{"name": "a", "at": {"after": "2 hours"}}], "only_if": {"all": [{"field": "x"}]}}

    assert compare("scenario", "s", document, document, 3).standing == "unchanged"


def test_without_an_active_version_everything_is_new() -> None:
    assert compare("scenario", "s", None, {"name": "s"}).standing == "added"
