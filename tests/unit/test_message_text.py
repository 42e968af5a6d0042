"""The text part made from HTML, and subjects of one line."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebell.domain.message_text import one_line, text_from_html

READABLE = [
    ("<p>One</p><p>Two</p>", "One\n\nTwo", "paragraphs"),
    ("<h1>Hi</h1>text<div>a</div><div>b</div>", "Hi\n\ntext\na\nb", "headings and blocks"),
    ("a  \n b<br>c<br/>d", "a b\nc\nd", "white space and line breaks"),
    ("<p>a</p>\n\n\n<p></p><p> </p><p>b</p>", "a\n\nb", "at most one empty line"),
    ("<ul><li>one</li><li>two <b>x</b></li></ul>end", "- one\n- two x\n\nend", "a list"),
    ("<ol><li>one<li>two</ol>", "1. one\n2. two", "a numbered list, items not closed"),
    ("<table><tr><td>A</td><td>1</td></tr><tr><td>B</td></tr></table>", "A 1\nB", "a table"),
    ('<a href="https://x.example/?a=1&amp;b=2">Open</a> it', "Open (https://x.example/?a=1&b=2) it", "a link"),
    ('<a href="https://x.example">https://x.example</a>', "https://x.example", "a link that shows itself"),
    ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example", "an address"),
    ('<a href="https://x.example"><img src="l.png"></a>', "https://x.example", "a link without text"),
    ('<a href="#top">up</a><a href="javascript:x()">go</a><a name="x">y</a>', "upgoy", "links that lead nowhere"),
    ('<img alt="Logo" src="l.png">', "Logo", "an image"),
    ("&lt;b&gt; &amp; &eacute;&#8364;&nbsp;x", "<b> & é€ x", "entities"),
    ("<style>p{}</style><script>if(a<b)x()</script><title>T</title>y", "y", "what is not shown"),
    ("<!doctype html><!-- c --><![if mso]>x<![endif]-->", "x", "declarations and comments"),
    ("<!--[if mso]><p>mso</p><![endif]-->y", "y", "conditional comments"),
    ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2", "loose signs"),
    ("a\x00b\ud800c", "a b c", "what no message may hold"),
    ("", "", "nothing"),
]


@pytest.mark.parametrize(("html", "text", "why"), READABLE, ids=[row[2] for row in READABLE])
def test_html_becomes_readable_text(html: str, text: str, why: str) -> None:
    assert text_from_html(html) == text


PIECES = ["<", "<a ", "<!--", "<!", "<a href='", "</", "<script>", "<a href=x>y", "<p>", "<li>", "&#", " \v", "<title>"]


@pytest.mark.parametrize("piece", PIECES)
def test_broken_html_takes_no_more_time_than_good(piece: str) -> None:
    started = time.process_time()

    text_from_html(piece * 50_000)

    assert time.process_time() - started < 5


@given(st.lists(st.sampled_from([*PIECES, ">", "-->", "]]>", "<![CDATA[", "x", "</a>", "</p>", '"', "=", "\n"])))
def test_any_text_is_taken_for_html(pieces: list[str]) -> None:
    text_from_html("".join(pieces))


SUBJECTS = [
    ("  Deal \t won ", "Deal won", "white space"),
    ("Hi\r\nBcc: all@example.com", "Hi Bcc: all@example.com", "a smuggled header"),
    ("a\x00b\x1bc\x7fd\x85e\u2028f\u2029g", "a b c d e f g", "control characters and line separators"),
    ("a\ud800b", "a b", "half a surrogate pair"),
    ("Ünïcödé 您好 😀", "Ünïcödé 您好 😀", "letters of all languages"),
    ("x" * 2_000, "x" * 995, "the longest"),
]


@pytest.mark.parametrize(("text", "line", "why"), SUBJECTS, ids=[row[2] for row in SUBJECTS])
def test_a_subject_is_one_line(text: str, line: str, why: str) -> None:
    assert one_line(text) == line


@given(st.text())
def test_no_subject_breaks_the_line(text: str) -> None:
    line = one_line(text)

    assert len(line.splitlines()) <= 1
    assert len(line) <= 995
