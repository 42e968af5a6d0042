"""How many parts a text takes, and who may send it."""

import pytest

from stagebell.domain.sms import SmsSize, is_sender_id, measure, plain_spaces, too_long

SIZES = [
    ("", "GSM-7", 0, 0, "nothing is no part"),
    ("Hello", "GSM-7", 5, 1, "plain"),
    ("a" * 160, "GSM-7", 160, 1, "a full single part"),
    ("a" * 161, "GSM-7", 161, 2, "one more: parts of 153"),
    ("a" * 306, "GSM-7", 306, 2, "two full parts"),
    ("a" * 307, "GSM-7", 307, 3, "one more than two"),
    ("äöüßÄÖÜñÑéèàùìòÇØøÅåÆæ£¥§¿¡Δ", "GSM-7", 28, 1, "letters of the basic set"),
    ("€", "GSM-7", 2, 1, "the extension table takes two septets"),
    ("[]{}\\^~|€\f", "GSM-7", 20, 1, "all of it"),
    ("€" * 80, "GSM-7", 160, 1, "a full single part of pairs"),
    ("€" * 81, "GSM-7", 162, 2, "pairs beyond a single part"),
    ("€" * 153, "GSM-7", 306, 3, "153 is odd: no part holds half a pair, so 76 in each"),
    ("a" + "€" * 152, "GSM-7", 305, 2, "the first part is full to the septet, so two suffice"),
    ("ç", "UCS-2", 1, 1, "small c with cedilla is not in the set, the capital is"),
    ("`", "UCS-2", 1, 1, "nor is the backtick"),
    ("您" * 70, "UCS-2", 70, 1, "a full single part of Chinese"),
    ("您" * 71, "UCS-2", 71, 2, "one more: parts of 67"),
    ("您" * 134, "UCS-2", 134, 2, "two full parts of Chinese"),
    ("😀" * 35, "UCS-2", 70, 1, "an emoji takes two units"),
    ("😀" * 67, "UCS-2", 134, 3, "67 is odd: no part holds half an emoji"),
    ("a" * 69 + "您", "UCS-2", 70, 1, "one foreign letter makes all of it UCS-2"),
]


@pytest.mark.parametrize(("text", "encoding", "units", "parts", "why"), SIZES, ids=[row[4] for row in SIZES])
def test_a_text_takes_its_true_number_of_parts(text: str, encoding: str, units: int, parts: int, why: str) -> None:
    size = measure(text)

    assert (size.encoding, size.units, size.parts) == (encoding, units, parts)


@pytest.mark.parametrize(("text", "expected"), [("a" * 1530, False), ("a" * 1531, True), ("您" * 671, True)])
def test_ten_parts_are_the_most(text: str, expected: bool) -> None:
    assert too_long(text) is expected


def test_the_spaces_of_locale_formats_do_not_make_a_text_ucs_2() -> None:
    text = "1\u202f234,50\xa0€ at 2:05\u202fPM"

    assert measure(text).encoding == "UCS-2"
    assert measure(plain_spaces(text)) == SmsSize("GSM-7", 22, 1)


SENDERS = [
    ("Stagebell", True, "letters"),
    ("ACME-24", True, "letters, digits, a hyphen"),
    ("A12", True, "three characters"),
    ("ABCDEFGHIJK", True, "eleven characters"),
    ("AB", False, "too short"),
    ("ABCDEFGHIJKL", False, "too long"),
    ("123456", False, "no letter"),
    ("My Shop", False, "a space"),
    ("Müller", False, "a letter beyond ASCII"),
    ("ACME\n", False, "a line break"),
    ("", False, "nothing"),
]


@pytest.mark.parametrize(("text", "expected", "why"), SENDERS, ids=[row[2] for row in SENDERS])
def test_a_sender_id_is_3_to_11_letters_digits_or_hyphens(text: str, expected: bool, why: str) -> None:
    assert is_sender_id(text) is expected
