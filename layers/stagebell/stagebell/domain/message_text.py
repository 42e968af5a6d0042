"""Plain text of messages: the text part made from HTML, and one-line subjects."""

import re
from html.parser import HTMLParser

SUBJECT_LIMIT = 995  # characters of a header's value, RFC 5322 §2.1.1 less the name

_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr"})
_LINES = frozenset({"div", "li", "tr", "dt", "dd", "section", "article", "header", "footer", "address", "caption"})
_CELLS = frozenset({"td", "th"})
_SILENT = frozenset({"script", "style", "title", "template", "noscript"})
_BREAKING = _PARAGRAPHS | _LINES

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_END = "\v"  # of a block that needs no empty line; several of them are one
_BLANKS = re.compile(r"[ \n\v]+")
_DECLARATION = re.compile(r"<[!?][^<>]*>")
_LOOSE_BRACKET = re.compile(r"<(?!/?[A-Za-z][^<>]*>)")


def text_from_html(html: str) -> str:
    """A readable text of an HTML message: paragraphs, lists and line breaks kept, links as `text (address)`.

    Takes any text, well formed or not, in time proportional to its length."""
    reader = _Reader()
    reader.feed(_tidied(html))
    reader.close()
    return reader.text()


def one_line(text: str) -> str:
    """A text fit for a subject: white space and control characters become single spaces, so that no header can be
    smuggled in; at most 995 characters."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())[:SUBJECT_LIMIT].rstrip()


def _tidied(html: str) -> str:
    """Without comments and declarations, and with every loose `<` escaped: the standard parser takes quadratic time
    over unfinished tags."""
    start, *rest = html.split("<!--")
    uncommented = start + "".join(piece.partition("-->")[2] for piece in rest)
    return _LOOSE_BRACKET.sub("&lt;", _DECLARATION.sub("", uncommented))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = ""
        self._link: tuple[str, int] | None = None
        self._lists: list[int | None] = []

    def text(self) -> str:
        return _joined(self._pieces).strip().replace("\xa0", " ")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._silent:
            self._silent = tag if tag in _SILENT else ""
            self._open(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._silent:
            self._open(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if not self._silent:
            self._close(tag)
        elif tag == self._silent:
            self._silent = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(_UNPRINTABLE.sub(" ", data))

    def _open(self, tag: str, attributes: dict[str, str | None]) -> None:
        self._break(tag)
        if tag == "br":
            self._pieces.append("\n")
        elif tag == "a":
            self._link = (one_line(attributes.get("href") or ""), len(self._pieces))
        elif tag == "img":
            self.handle_data(attributes.get("alt") or "")
        else:
            self._open_list(tag)

    def _open_list(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._pieces.append(self._bullet())

    def _close(self, tag: str) -> None:
        if tag == "a" and self._link:
            self._close_link(*self._link)
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        elif tag in _CELLS:
            self._pieces.append(" ")
        self._break(tag)

    def _break(self, tag: str) -> None:
        if tag in _BREAKING:
            self._pieces.append("\n\n" if tag in _PARAGRAPHS else _LINE_END)

    def _bullet(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number + 1}. "

    def _close_link(self, address: str, start: int) -> None:
        self._link = None
        shown = _joined(self._pieces[start:]).strip()
        bare = address.removeprefix("mailto:").removeprefix("tel:")
        if bare and not bare.startswith(("#", "javascript:")) and shown not in (address, bare):
            self._pieces.append(f" ({bare})" if shown else bare)


def _joined(pieces: list[str]) -> str:
    """The pieces with single spaces between words and at most one empty line; line ends side by side are one."""
    return _BLANKS.sub(_blank, "".join(pieces))


def _blank(found: re.Match[str]) -> str:
    lines = found[0].count("\n") or (_LINE_END in found[0])
    return "\n" * min(lines, 2) or " "
