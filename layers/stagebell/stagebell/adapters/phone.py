"""Phone numbers to E.164, by Google's libphonenumber (ITU-T E.164: `+` and at most 15 digits)."""

import phonenumbers

_LONGEST = 40


def e164(text: str, default_region: str | None) -> str | None:
    """The number as `+4930901820`; None where the text is no valid number or names an extension, which no SMS reaches.

    `default_region` is an ISO 3166 code such as "DE" for numbers without a country code; None demands one."""
    number = _parsed(text.strip().removeprefix("tel:"), default_region)
    if number is None or number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parsed(text: str, default_region: str | None) -> phonenumbers.PhoneNumber | None:
    """Letters are refused: the parser would read vanity numbers and pick digits out of prose."""
    if len(text) > _LONGEST or any(char.isalpha() for char in text):
        return None
    try:
        return phonenumbers.parse(text, default_region.upper() if default_region else None)
    except phonenumbers.NumberParseException:
        return None
