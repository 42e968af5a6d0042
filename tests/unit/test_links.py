"""Links: the address of a record, made of its values, whatever those hold."""

from typing import Any

import pytest

from stagebell.adapters.jinja import JinjaRenderer
from stagebell.domain.errors import RenderFailed
from stagebell.domain.objects import read_object
from stagebell.services.links import LENGTH_LIMIT, record_url

FIELDS = {
    "name": {"type": "text"},
    "number": {"type": "integer"},
    "amount": {"type": "currency", "currency": "EUR"},
    "open": {"type": "boolean"},
    "tags": {"type": "multi_select"},
    "account": {"type": "reference", "object": "account"},
    "due_on": {"type": "date"},
    "site": {"type": "url"},
}


def url(template: str, id: str = "deal-7", **fields: Any) -> str:
    kind = read_object({"name": "deal", "fields": FIELDS, "record_url": template})
    return record_url(kind, id, fields, JinjaRenderer())


@pytest.mark.parametrize(
    ("id", "expected", "reason"),
    [
        ("deal-7", "deal-7", "a plain id"),
        ("DE 100/7", "DE%20100%2F7", "a space, and a slash that is no step of the path"),
        ("Übergröße", "%C3%9Cbergr%C3%B6%C3%9Fe", "letters beyond ASCII"),
        ("报价-7", "%E6%8A%A5%E4%BB%B7-7", "Chinese characters"),
        ("a?b=c&d#e", "a%3Fb%3Dc%26d%23e", "what would end the path"),
        ("100%", "100%25", "a percent sign"),
        ("../admin", "..%2Fadmin", "what would leave the folder"),
        ('"><script>', "%22%3E%3Cscript%3E", "markup"),
    ],
)
def test_an_id_of_any_form_makes_a_valid_address(id, expected, reason):
    assert url("https://crm.example.com/deals/{{ id }}", id) == f"https://crm.example.com/deals/{expected}", reason


@pytest.mark.parametrize(
    ("template", "expected", "reason"),
    [
        ("https://x.example/{{ name }}", "https://x.example/Big%20%26%20new", "own fields by their bare names"),
        ("https://x.example/{{ Name }}", "https://x.example/Big%20%26%20new", "in any case"),
        ("https://x.example/{{ number }}", "https://x.example/1234567", "numbers without grouping"),
        ("https://x.example/{{ amount }}", "https://x.example/1234.5", "amounts without a currency"),
        ("https://x.example/{{ open }}", "https://x.example/false", "booleans as programs write them"),
        ("https://x.example/{{ tags }}", "https://x.example/hot%2Cnew%20one", "several words"),
        ("https://x.example/{{ account }}/{{ id }}", "https://x.example/a1/deal-7", "references by their ids"),
        ("https://x.example/{{ due_on }}", "https://x.example/2026-04-01", "dates in their standard form"),
        ("{{ site }}", "https://deals.example/7?a=b%20c", "an address that the record holds itself"),
        ("  https://x.example/a b/{{ id }}\n", "https://x.example/a%20b/deal-7", "white space of the template's own"),
        ("https://x.example/{% if name %}n{% else %}m{% endif %}", "https://x.example/n", "but asked for"),
    ],
)  # fmt: skip
def test_an_address_is_made_of_the_records_values(template, expected, reason):
    values = {
        "name": "Big & new", "number": 1234567, "amount": "1234.5", "open": False, "tags": ["hot", "new one"],
        "account": "a1", "due_on": "2026-04-01", "site": "https://deals.example/7?a=b c",
    }  # fmt: skip

    assert url(template, **values) == expected, reason


def test_values_are_text_and_not_calculated_with():
    with pytest.raises(RenderFailed, match="record_url of deal"):
        url("https://x.example/{{ number + 1 }}", number=5)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "an object without one"),
        ("{{ site }}", "a field that is empty"),
        ("https://{{ name }}/x", "an address without a host"),
        ("javascript:alert({{ id }})", "no web address: nothing a link may do"),
        ("/deals/{{ id }}", "an address that leads nowhere from an e-mail"),
    ],
)
def test_where_there_is_no_web_address_there_is_no_link(template, reason):
    assert url(template) == "", reason


def test_an_address_has_an_end():
    with pytest.raises(RenderFailed, match="record_url of deal"):
        url("https://x.example/{{ name }}", name="x" * LENGTH_LIMIT)


def test_only_the_values_it_speaks_of_are_looked_at():
    seen: list[str] = []

    class Spy(JinjaRenderer):
        def render(self, source: str, variables: Any, **more: Any) -> str:
            seen.extend(variables)
            return super().render(source, variables, **more)

    kind = read_object({"name": "deal", "fields": FIELDS, "record_url": "https://x.example/{{ id }}/{{ Number }}"})
    record_url(kind, "7", {"number": 1, "name": "x" * 60_000}, Spy())

    assert seen == ["id", "number"]
