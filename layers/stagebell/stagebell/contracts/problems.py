"""What pydantic found, in plain words: a path such as `steps[1].to[0].field`, a rule, and a sentence."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stagebell.contracts.model import FIELD_NAME, NAME
from stagebell.domain.errors import Problem
from stagebell.domain.fields import describe

_TYPE_ERRORS = ("field_type", "action_type")  # found on the whole, meant for its `type`


def problems_of(error: ValidationError) -> tuple[Problem, ...]:
    """Every problem, in the order in which they stand in the input. What is only misspelt is not missing as well."""
    details = error.errors(include_url=False, include_context=True)
    misspelt = {
        (*detail["loc"][:-1], meant_key(str(detail["loc"][-1])))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    return tuple(_problem(d) for d in details if d["type"] != "missing" or d["loc"] not in misspelt)


def _problem(detail: ErrorDetails) -> Problem:
    kind = detail["type"]
    path = path_text(detail["loc"])
    if kind in _TYPE_ERRORS and isinstance(detail["input"], Mapping):
        path = f"{path}.type"
    rule, say = _SAYINGS.get(kind, (kind, _unknown_type if kind in _TYPE_ERRORS else _own_words))
    return Problem(path, rule, say(detail))


def path_text(loc: tuple[int | str, ...]) -> str:
    """`("steps", 1, "<send_email>", "to", 0)` as `steps[1].to[0]`; what stands in angle brackets is no part of it."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not is_tag(part):
            text += f".{part}"
    return text.removeprefix(".")


def is_tag(part: int | str) -> bool:
    """Whether a part of a place only says as what its value was read."""
    return isinstance(part, str) and ((part.startswith("<") and part.endswith(">")) or part == "[key]")


@lru_cache(4_096)
def meant_key(key: str) -> str:
    """The key of a definition that one there is not may be meant for; empty where there is none like it."""
    return next((word for word in get_close_matches(key, _keys(), n=1, cutoff=0.7) if word != key), "")


type _Say = Callable[[ErrorDetails], str]


def _own_words(detail: ErrorDetails) -> str:
    return detail["msg"]


def _unknown_type(detail: ErrorDetails) -> str:
    """The own words tell what has no type at all."""
    kind = detail["input"].get("type") if isinstance(detail["input"], Mapping) else None
    if not isinstance(kind, str):
        return detail["msg"]
    types = str(_context(detail)["types"])
    close = get_close_matches(kind, types.split(", "), n=1, cutoff=0.6)
    return f"{describe(kind)} is no type; " + (f"did you mean {close[0]}?" if close else f"the types are {types}")


def _missing(detail: ErrorDetails) -> str:
    if detail["loc"] == ("body",):
        return "the request needs a body: a JSON object"
    return f'"{detail["loc"][-1]}" is required'


def _unknown_key(detail: ErrorDetails) -> str:
    key = str(detail["loc"][-1])
    meant = meant_key(key)
    return f"there is no key {key} here" + (f"; did you mean {meant}?" if meant else "")


def _keys() -> list[str]:
    """Every key that some definition has."""
    models, keys = [BaseModel], set()
    while models:
        model = models.pop()
        models.extend(model.__subclasses__())
        if model.__module__.startswith("stagebell."):
            keys |= {field.alias or name for name, field in model.model_fields.items()}
    return sorted(keys)


def _expected(what: str) -> _Say:
    return lambda detail: f"expected {what}, got {describe(detail['input'])}"


def _expected_text(detail: ErrorDetails) -> str:
    got = detail["input"]
    hint = (
        f'; in YAML, write it in quotes: "{got}"' if isinstance(got, int | float) and not isinstance(got, bool) else ""
    )
    return f"expected text, got {describe(got)}{hint}"


def _one_of(detail: ErrorDetails) -> str:
    return f"{describe(detail['input'])} is not possible here; use {_context(detail)['expected']}".replace(
        "use True", "use true"
    )


def _pattern(detail: ErrorDetails) -> str:
    shape = _PATTERNS.get(_context(detail)["pattern"])
    if shape is None:
        shape = next(
            (words for start, words in _SHAPES if _context(detail)["pattern"].startswith(start)), "another form"
        )
    return f"{describe(detail['input'])} is not valid here; use {shape}"


_PATTERNS: Mapping[str, str] = {
    NAME: "a name of up to 63 letters, digits, - and _, that starts with a letter or digit",
    FIELD_NAME: "a name of up to 63 small letters, digits and _, that starts with a letter",
}
_SHAPES = (
    (r"^[a-z][a-z0-9_]{0,62}(", "a field, or a path of at most 6 names such as account.owner.email"),
    (r"^https", "an https address such as https://crm.example.com/stagebell"),
    (r"^arn:", "the ARN of a Lambda function such as arn:aws:lambda:eu-central-1:123456789012:function:score:live"),
    (r"^-?[0-9]", "a number"),
    (r"^[A-Z]{3}", "a currency code such as EUR"),
    (r"^[A-Z]{2}", "a country code such as DE"),
    (r"^[A-Za-z0-9-]", "3 to 11 letters, digits or hyphens, one of them a letter"),
    (r"^[A-Za-z_][A-Za-z0-9_]", "a name of up to 63 letters, digits and _, that starts with no digit"),
    (r"^[A-Za-z][A-Za-z0-9_]", "a word of up to 63 letters, digits and _, that starts with a letter"),
)


def _too_short(detail: ErrorDetails) -> str:
    least = _context(detail)["min_length"]
    return "may not be empty" if least == 1 else f"needs at least {least}"


def _too_long(detail: ErrorDetails) -> str:
    unit = "characters" if isinstance(detail["input"], str) else "entries"
    return f"is limited to {_context(detail)['max_length']:,} {unit}"


def _context(detail: ErrorDetails) -> dict[str, Any]:
    return detail.get("ctx") or {}


_SAYINGS: Mapping[str, tuple[str, _Say]] = {
    "missing": ("required", _missing),
    "extra_forbidden": ("unknown_key", _unknown_key),
    "string_type": ("text", _expected_text),
    "string_unicode": ("text", lambda _: "text may not hold half of a surrogate pair"),
    "bool_type": ("boolean", _expected("true or false")),
    "bool_parsing": ("boolean", _expected("true or false")),
    "int_type": ("integer", _expected("an integer")),
    "int_parsing": ("integer", _expected("an integer")),
    "list_type": ("list", _expected("a list")),
    "dict_type": ("mapping", _expected("a mapping")),
    "model_type": ("mapping", _expected("a mapping")),
    "model_attributes_type": ("mapping", _expected("a mapping")),
    "literal_error": ("one_of", _one_of),
    "string_pattern_mismatch": ("form", _pattern),
    "string_too_short": ("length", _too_short),
    "string_too_long": ("length", _too_long),
    "too_short": ("count", _too_short),
    "too_long": ("count", _too_long),
    "greater_than_equal": ("range", lambda detail: f"should be at least {_context(detail)['ge']}"),
    "less_than_equal": ("range", lambda detail: f"should be at most {_context(detail)['le']}"),
    "recursion_loop": ("depth_limit", lambda _: "refers to itself"),
}
