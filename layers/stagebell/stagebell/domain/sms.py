"""What a text costs as SMS: its encoding and its number of parts.

Sources: 3GPP TS 23.038 §6.2.1 (GSM 7-bit default alphabet and its extension table), 3GPP TS 23.040 §9.2.3.24.1
(concatenation: 153 septets or 67 UTF-16 code units a part), AWS SNS developer guide "Sending SMS messages" (sender id).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

MAX_PARTS = 10

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")  # each is sent as an escape and a character: two septets
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9-]{3,11}", re.ASCII)
_WIDE_SPACES = re.compile("[\u00a0\u2007\u2009\u202f]")


@dataclass(frozen=True, slots=True)
class SmsSize:
    """`units` are septets of GSM-7 or UTF-16 code units of UCS-2; no text is no part."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int


def measure(text: str) -> SmsSize:
    """The encoding and the true number of parts: neither an escape pair nor a surrogate pair is split over two."""
    if all(char in _BASIC or char in _EXTENSION for char in text):
        return _size("GSM-7", [2 if char in _EXTENSION else 1 for char in text], single=160, joined=153)
    return _size("UCS-2", [2 if ord(char) > 0xFFFF else 1 for char in text], single=70, joined=67)


def _size(encoding: Literal["GSM-7", "UCS-2"], widths: list[int], *, single: int, joined: int) -> SmsSize:
    units = sum(widths)
    parts = _parts(widths, joined) if units > single else min(units, 1)
    return SmsSize(encoding, units, parts)


def _parts(widths: Iterable[int], room: int) -> int:
    parts, used = 1, 0
    for width in widths:
        used += width
        if used > room:
            parts, used = parts + 1, width
    return parts


def too_long(text: str) -> bool:
    """Whether a text takes more parts than we send (10)."""
    return measure(text).parts > MAX_PARTS


def plain_spaces(text: str) -> str:
    """The text with no-break and thin spaces as plain ones: locale formats use them ("1 234 €", "2:05 PM"), and a
    single one would turn the whole message into UCS-2 and more than double its parts."""
    return _WIDE_SPACES.sub(" ", text)


def is_sender_id(text: str) -> bool:
    """Whether a text may be shown as the sender: 3 to 11 letters, digits or hyphens, one of them a letter."""
    return _SENDER_ID.fullmatch(text) is not None
