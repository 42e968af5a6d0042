"""What message templates may say, how they show values, and what stops them."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from stagebell.adapters.jinja import JinjaRenderer
from stagebell.domain.errors import RenderFailed, TemplateError
from stagebell.domain.views import Fields, Money

BERLIN = ZoneInfo("Europe/Berlin")
type Write = Callable[..., str]

DEAL = Fields(
    {
        "Name": "Ada & <Co>",
        "amount": Money(Decimal("1234.5"), "EUR"),
        "rate": Decimal("0.12345"),
        "seats": 2026,
        "won": True,
        "due_on": date(2026, 11, 5),
        "entered_at": datetime(2026, 11, 5, 23, 30, tzinfo=UTC),
        "tags": ["vip", "<b>"],
        "owner": None,
        "account": Fields({"name": "Acme"}, title="Acme Ltd"),
        "lines": [Fields({"name": "Pump", "price": Decimal(20)}), Fields({"name": "Hose", "price": Decimal(5)})],
    }
)


@pytest.fixture(scope="module")
def renderer() -> JinjaRenderer:
    return JinjaRenderer()


@pytest.fixture
def write(renderer: JinjaRenderer) -> Write:
    def write(source: str, locale: str = "en_US", html: bool = False, **options: object) -> str:
        variables = {"deal": DEAL, "Project": DEAL, "huge": Decimal("1E+999999"), "long": Decimal("9" * 38)}
        zone = options.pop("zone", BERLIN)
        return renderer.render(source, variables, html=html, locale=locale, zone=zone, **options)  # type: ignore[arg-type]

    return write


SHOWN = [
    ("{{ deal.name }}", "en_US", "Ada & <Co>", "text as it is"),
    ("{{ DEAL.NAME }}{{ project.Name }}", "en_US", "Ada & <Co>" * 2, "names in any case"),
    ('{{ deal["NAME"] }}', "en_US", "Ada & <Co>", "items in any case"),
    ("{{ deal.account }}: {{ deal.account.name }}", "en_US", "Acme Ltd: Acme", "a record shows its title"),
    ("[{{ deal.owner }}{{ deal.owner.manager.name }}{{ nobody.name }}]", "en_US", "[]", "missing values are empty"),
    ("{{ deal.amount }}", "en_US", "€1,234.50", "money in English"),
    ("{{ deal.amount }}", "de_DE", "1.234,50\xa0€", "money in German"),
    ("{{ deal.amount }}", "zh_CN", "€1,234.50", "money in Chinese"),
    ("{{ deal.amount }}", "xx_YY", "€1,234.50", "an unknown locale is English"),
    ("{{ deal.amount }}", "de-XX", "1.234,50\xa0€", "an unknown region leaves the language"),
    ("{{ deal.amount }}", "../etc", "€1,234.50", "nonsense is English"),
    ("{{ deal.rate }}", "en_US", "0.12345", "decimals keep their digits"),
    ("{{ deal.rate }}", "de_DE", "0,12345", "the decimal sign is the locale's"),
    ("{{ long }}", "en_US", ",".join(["99", *["999"] * 12]), "38 digits are exact"),
    ("{{ huge }}", "en_US", "1E+999999", "an exponent is not written out"),
    ("{{ deal.seats }}", "en_US", "2026", "a year or an id is not grouped"),
    ("{{ deal.seats | number }}", "de_DE", "2.026", "unless asked for"),
    ("{{ deal.won }} {{ not deal.won }}", "en_US", "yes no", "booleans"),
    ("{{ deal.won }} {{ not deal.won }}", "zh_CN", "是 否", "booleans in Chinese"),
    ("{{ deal.due_on }}", "en_US", "Nov 5, 2026", "a date"),
    ("{{ deal.due_on }}", "de_DE", "05.11.2026", "a date in German"),
    ("{{ deal.entered_at }}", "en_US", "Nov 6, 2026, 12:30:00\u202fAM", "an instant, in the zone the next day"),
    ("{{ deal.entered_at }}", "zh_CN", "2026年11月6日 00:30:00", "an instant in Chinese"),
    ("{{ deal.entered_at | date }}", "de_DE", "06.11.2026", "the day of an instant is the zone's"),
    ("{{ deal.entered_at | time('short') }}", "de_DE", "00:30", "a time of day"),
    ("{{ deal.entered_at | datetime('d. MMMM y, HH:mm') }}", "de_DE", "6. November 2026, 00:30", "a pattern"),
    ("{{ '2026-11-05' | date('full') }}", "en_US", "Thursday, November 5, 2026", "ISO text is read"),
    ("{{ deal.owner | date }}{{ deal.owner | currency('EUR') }}", "en_US", "", "no value has no format"),
    ("{{ 1234.5 | currency('USD') }}", "en_US", "$1,234.50", "a number in a named currency"),
    ("{{ deal.amount | currency('EUR', 'full') }}", "en_US", "1,234.50 euros", "the currency's name"),
    ("{{ 1234567 | number('short') }}", "en_US", "1.2M", "compact numbers"),
    ("{{ deal.rate | number('0.00') }}", "de_DE", "0,12", "a number pattern"),
    ("{{ deal.tags }}", "en_US", "vip, <b>", "lists with commas"),
]


@pytest.mark.parametrize(("source", "locale", "expected", "why"), SHOWN, ids=[row[3] for row in SHOWN])
def test_values_show_in_the_readers_locale_and_zone(
    write: Write, source: str, locale: str, expected: str, why: str
) -> None:
    assert write(source, locale) == expected


def test_an_instant_shows_in_the_zone_asked_for(write: Write) -> None:
    assert write("{{ deal.entered_at | time('short') }}", "de_DE", zone=ZoneInfo("Asia/Shanghai")) == "07:30"


LANGUAGE = [
    ("{% if deal.amount > 1000 and deal.won %}big{% else %}small{% endif %}", "big", "money compares with numbers"),
    ("{{ 1 < 2 < 3 }}{{ 3 in [1, 2] }}{{ 3 not in [1, 2] }}", "yesnoyes", "comparisons chain"),
    ("{{ deal.owner > 3 }}{{ deal.owner == none }}{{ deal.owner == '' }}", "noyesyes", "missing is never more or less"),
    ("{{ 0.1 + 0.2 }} {{ 7 // 2 }} {{ 7 % 2 }} {{ 10 / 4 }} {{ - 3 }}", "0.3 3 1 2.5 -3", "arithmetic is exact"),
    ("{{ deal.amount * 2 }} {{ deal.amount - deal.amount / 2 }}", "€2,469.00 €617.25", "arithmetic on money"),
    ("{{ deal.owner + 1 }}|{{ 'Dear ' + deal.owner }}", "|Dear ", "missing in a sum"),
    ("{{ deal.name ~ ' ' ~ deal.rate }}", "Ada & <Co> 0.12345", "`~` joins what is shown"),
    ("{{ '-' * 5 }}{{ 'a' + 'b' }}", "-----ab", "text may be repeated"),
    ("{% set x = deal.account %}{{ x.name if x else 'none' }}{{ 'y' if false }}", "Acme", "set and inline if"),
    (
        "{% for l in deal.lines if l.price > 1 %}{{ loop.index }}/{{ loop.length }} {{ l.name }}"
        "{% if not loop.last %}, {% endif %}{% endfor %}",
        "1/2 Pump, 2/2 Hose",
        "loops",
    ),
    ("{% for l in deal.owner %}x{% else %}none{% endfor %}", "none", "a missing list is empty"),
    ("{% for k, v in [(1, 'a'), (2, 'b')] %}{{ k }}{{ v }}{% endfor %}{{ {'a': 1}.a }}", "1a2b1", "literals unpack"),
    ("{{ deal.lines | sum('price') }} {{ deal.lines | join('+', 'name') }}", "25 Pump+Hose", "parts of items"),
    ("{{ [3, none, 1, 2] | sort }}; {{ [3, 1] | max }}; {{ [3, 1] | min }}", "1, 2, 3, ; 3; 1", "order"),
    ("{{ ['a', 'a', 'b'] | unique }} {{ deal.lines | length }}", "a, b 2", "unique and length"),
    (
        "{{ deal.owner | default('nobody') }} {{ '' | d('x') }} {{ 0 | d(1) }} {{ 0 | d(1, true) }}",
        "nobody x 0 1",
        "default",
    ),
    (
        "{{ deal.owner is defined }}{{ deal.name is defined }}{{ 3 is odd }}{{ 6 is divisibleby 3 }}",
        "noyesyesyes",
        "tests",
    ),
    ("{{ 2.5 | round }} {{ 2.345 | round(2) }} {{ 2.1 | round(0, 'ceil') }} {{ -3 | abs }}", "3 2.35 3 3", "rounding"),
    ("{{ '12.50' | decimal }} {{ '12.9' | int }} {{ 'x' | int(-1) }}", "12.5 12 -1", "numbers in texts"),
    ("{{ 'one two three' | truncate(9) }}", "one two…", "truncate keeps words and the limit"),
    (
        "{{ 'a b/ü' | urlencode }} {{ deal.name | striptags }} {{ 'a b' | wordcount }}",
        "a%20b%2F%C3%BC Ada & 2",
        "texts",
    ),
    ("{{ Deal.Amount.CURRENCY }} {{ deal.amount.Amount }}", "EUR 1,234.5", "parts of values, in any case"),
    ("{{ 'über uns' | title }} {{ 'x' | upper }} {{ 'aXa' | replace('X', '-') }}", "Über Uns X a-a", "letters"),
]


@pytest.mark.parametrize(("source", "expected", "why"), LANGUAGE, ids=[row[2] for row in LANGUAGE])
def test_the_language_does_what_it_says(write: Write, source: str, expected: str, why: str) -> None:
    assert write(source) == expected


ESCAPED = [
    ("{{ deal.name }}", "Ada &amp; &lt;Co&gt;", "values are escaped"),
    ("<b>{{ deal.name | upper }}</b>", "<b>ADA &amp; &lt;CO&gt;</b>", "after a filter too"),
    ("{{ deal.name | e }}{{ deal.name | e | e }}", "Ada &amp; &lt;Co&gt;" * 2, "never twice"),
    ("{{ (deal.name | e) ~ '<i>' }}", "Ada &amp; &lt;Co&gt;&lt;i&gt;", "escaped and raw text mix safely"),
    ("{{ (deal.name | e) + '<i>' }}", "Ada &amp; &lt;Co&gt;&lt;i&gt;", "also by `+`"),
    ("{{ deal.tags }}{{ deal.tags | join('<br>') }}", "vip, &lt;b&gt;vip&lt;br&gt;&lt;b&gt;", "lists and separators"),
    ("{{ (deal.name | e) | replace('&lt;', '<') }}", "Ada &amp; &lt;Co&gt;", "an escape is not undone"),
    ("{{ deal.name | e | striptags }}", "Ada &amp; &lt;Co&gt;", "nor by taking tags away"),
    ("{{ [deal.name | e, '<'] | join }}", "Ada &amp; &lt;Co&gt;&lt;", "escaped items do not unlock others"),
    ("{{ deal.name | replace('Ada', '<script>') }}", "&lt;script&gt; &amp; &lt;Co&gt;", "arguments are escaped"),
    ("{{ '\"' }}", "&#34;", "quotes in attributes"),
]


@pytest.mark.parametrize(("source", "expected", "why"), ESCAPED, ids=[row[2] for row in ESCAPED])
def test_html_is_escaped_exactly_once(write: Write, source: str, expected: str, why: str) -> None:
    assert write(source, html=True) == expected


def test_text_messages_are_not_escaped_but_can_be(write: Write) -> None:
    assert write("{{ deal.name }} {{ deal.name | e ~ '<' }}") == "Ada & <Co> Ada &amp; &lt;Co&gt;<"


REFUSED_AT_DEFINITION = [
    ("{% for i in range(10**9) %}x{% endfor %}", "calls are not allowed", "a long loop by range"),
    ("{{ ''.__class__.__mro__ }}", "`__class__` is not a name", "Python internals by attribute"),
    ("{{ ''['__class__'] }}", "`__class__` is not a name", "Python internals by item"),
    ("{{ x | attr('__class__') }}", "no filter `attr`", "Python internals by filter"),
    ("{{ _context }}", "`_context` is not a name", "names of the engine"),
    ("{{ x | _held }}", "no filter `_held`", "our own guards"),
    ("{{ 'x' * 10**9 }}", "`**` is not allowed", "powers"),
    ("{% macro f() %}{{ f() }}{% endmacro %}", "{% macro %} is not allowed", "recursion by macro"),
    ("{% for x in xs recursive %}{{ loop(x) }}{% endfor %}", "recursive loops", "recursion by loop"),
    ('{{ "%1000000000d" | format(1) }}', "no filter `format`", "wide formats"),
    ("{{ cycler('a') }}", "calls are not allowed", "globals of the engine: cycler"),
    ("{{ lipsum(n=1000000) }}", "calls are not allowed", "globals of the engine: lipsum"),
    ("{% set n = namespace(a=1) %}{% set n.a = 2 %}", "calls are not allowed", "globals of the engine: namespace"),
    ("{{ deal.name.format(1) }}", "calls are not allowed", "methods"),
    ("{{ self }}", "`self` is a reserved name", "the template itself"),
    ("{{ deal.name | safe }}", "no filter `safe`", "unescaped values"),
    ("{% autoescape false %}{{ x }}{% endautoescape %}", "always escaped", "unescaped blocks"),
    ("{% include 'x' %}", "{% include %} is not allowed", "other templates"),
    ("{% import 'x' as y %}", "{% import %} is not allowed", "other templates' names"),
    ("{% from 'x' import y %}", "{% from %} is not allowed", "other templates' macros"),
    ("{% extends 'x' %}", "{% extends %} is not allowed", "layouts"),
    ("{% block b %}{% endblock %}", "{% block %} is not allowed", "blocks"),
    ("{% filter upper %}x{% endfilter %}", "{% filter %} is not allowed", "filter blocks"),
    ("{% set x %}y{% endset %}", "{% set %} with a block is not allowed", "captured output"),
    ("{% with a = 1 %}{{ a }}{% endwith %}", "{% with %} is not allowed", "with"),
    ("{{ deal.name[1:] }}", "slices are not allowed", "slices"),
    ("{{ deal.name | upper(*x) }}", "one by one", "arguments from a list"),
    ("{{ deal.name | upper(1) }}", "it takes none", "a superfluous argument"),
    ("{{ deal.name | replace('a') }}", "it takes old, new", "a missing argument"),
    ("{{ deal.due_on | date('shrot') }}", '"shrot" is no format', "a misspelt format"),
    ("{{ 5 | currency('euro') }}", '"euro" is no currency', "a misspelt currency"),
    ("{{ x is callable }}", "no test `callable`", "an unknown test"),
    ("{{ x | nosuch }}", "no filter `nosuch`", "an unknown filter"),
    ("{{ x", "unexpected end of template", "a missing bracket"),
    ("{% if x %}", "Unexpected end of template", "a missing end"),
    ("{% trans %}x{% endtrans %}", "unknown tag 'trans'", "an unknown tag"),
    ("{{" + "(" * 500 + "1" + ")" * 500 + "}}", "nests too deeply", "deep brackets"),
    ("{{ 1" + " + 1" * 200 + " }}", "nest at most 100", "long chains"),
    ("{% for a in x %}" * 30 + "{% endfor %}" * 30, "nests too deeply", "deep blocks"),
    ("{{ 1" + "0" * 5000 + " }}", "too long", "a number of 5,000 digits"),
    ("{{ 1 }}" * 30_000, "limited to 20,000", "a template of too many parts"),
    ("x" * 300_000, "limited to 262,144", "a template too long"),
    ("a\x00b", "NUL", "NUL"),
    ("a\ud800b", "surrogate", "a lone surrogate"),
]


@pytest.mark.parametrize(
    ("source", "message", "why"), REFUSED_AT_DEFINITION, ids=[row[2] for row in REFUSED_AT_DEFINITION]
)
def test_what_is_not_allowed_is_a_problem_at_definition_time(
    renderer: JinjaRenderer, write: Write, source: str, message: str, why: str
) -> None:
    problems = renderer.check(source, html=True)

    assert any(message in problem.message for problem in problems), problems
    with pytest.raises(TemplateError):
        write(source)


def test_all_problems_are_named_at_once_with_their_lines(renderer: JinjaRenderer) -> None:
    source = "{{ a | nosuch }}\n{{ b() }}\n\n{% set c %}{{ d.__e__ }}{% endset %}"

    problems = renderer.check(source, html=False)

    assert [(p.line, p.message.split(" ")[0]) for p in problems] == [
        (1, "there"),
        (2, "calls"),
        (4, "{%"),
        (4, "`__e__`"),
    ]


def test_a_good_template_has_no_problems(renderer: JinjaRenderer) -> None:
    assert renderer.check("<p>{{ deal.account.name }} {{ entered_at | datetime('short') }}</p>", html=True) == []


TEN = "{% set xs = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] %}"
STOPPED = [
    (TEN + "{% for a in xs %}" * 6 + "x" + "{% endfor %}" * 6, "loops are limited to 10,000 steps", "nested loops"),
    (TEN + "{% for a in xs %}" * 6 + "{% endfor %}" * 6, "loops are limited", "loops that write nothing"),
    ("{{ 'x' * 1000000000 }}", "text is limited to 262,144", "a long text by `*`"),
    ("{% set a = 'xxxxxxxx' %}" + "{% set a = a ~ a %}" * 60, "text is limited", "doubling by `~`"),
    ("{% set a = 'xxxxxxxx' %}" + "{% set a = a + a %}" * 60, "text is limited", "doubling by `+`"),
    ("{% set a = 'aaaaaaaa' %}" + "{% set a = a | replace('a', 'aaaaaaaa') %}" * 60, "text is limited", "by replace"),
    ("{% set a = 'aaaaaaaa' %}" + "{% set a = [a, a, a, a] | join(a) %}" * 60, "text is limited", "by join"),
    ("{{ 'a' | replace('', 'x' * 200000) }}", "text is limited", "replacing nothing"),
    ("{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}", "10,000 items", "lists of lists of lists"),
    ("{% set a = [1] %}" + "{% set a = {1: a, 2: a} %}" * 60, "10,000 items", "dicts of dicts of dicts"),
    ("{% set a = [1] %}" + "{% set a = a + a %}" * 60, "10,000 items", "doubling lists"),
    ("{% set a = 9 %}" + "{% set a = a * a %}" * 60, "40 digits", "squaring numbers"),
    ("{{ huge * huge }}", "40 digits", "huge exponents"),
    (TEN + "{% for a in xs %}{{ 'x' * 100000 }}{% endfor %}", "text is limited", "a flood of output"),
    ("".join(f"{{% set a{n} = 'x' * 262144 %}}" for n in range(80)), "made on the way", "many long texts kept"),
    ("{{ 1 / 0 }}", "division by zero", "division by zero"),
    ("{{ deal.name < 1 }}", "text and a number cannot be compared", "unlike things compared"),
    ("{{ deal.name + 1 }}", "`+` does not work on text and a number", "unlike things added"),
    ("{{ '%d' % 1 }}", "`%` does not work on text", "formatting by `%`"),
    ("{{ deal.amount + ('5' | decimal) }}", "`+` does not work on an amount of money", "money and numbers added"),
    ("{% for c in deal.name %}{% endfor %}", "`for` goes over a list, not over text", "a loop over text"),
    ("{{ {[1]: 2} }}", "does not fit", "a list as a key"),
    ("{{ deal.due_on | time }}", "no time of day", "the time of a day"),
    ("{{ deal.name | date }}", "a date is needed here, not text", "a date that is none"),
    ("{{ 5 | currency }}", "name the currency", "a number without currency"),
    ("{{ deal.amount | currency('USD') }}", "not converted", "euros shown as dollars"),
    ("{{ deal.lines | sort }}", "cannot be compared", "records sorted by nothing"),
]


@pytest.mark.parametrize(("source", "message", "why"), STOPPED, ids=[row[2] for row in STOPPED])
def test_a_render_beyond_its_bounds_fails_with_a_plain_message(
    write: Write, source: str, message: str, why: str
) -> None:
    started = time.monotonic()
    with pytest.raises(RenderFailed, match=message.replace("+", r"\+")):
        write(source, deadline_ms=5_000)

    assert time.monotonic() - started < 5, why


def test_a_failure_names_its_line(write: Write) -> None:
    with pytest.raises(RenderFailed, match=r"^line 3: "):
        write("a\n{{ deal.name }}\n{{ 1 / 0 }}")


def test_a_render_stops_at_its_deadline() -> None:
    ticks = iter(range(1_000_000))
    slow = JinjaRenderer(clock=lambda: float(next(ticks)))

    with pytest.raises(RenderFailed, match="longer than 4000 ms"):
        slow.render(
            "{% for i in [1, 2, 3, 4] %}x{% endfor %}", {}, html=False, locale="en", zone=BERLIN, deadline_ms=4_000
        )


def test_the_output_limit_counts_bytes(write: Write) -> None:
    assert write("é", limit=2) == "é"
    with pytest.raises(RenderFailed, match="limited to 2 bytes"):
        write("éa", limit=2)


def test_python_attributes_are_missing_values(write: Write) -> None:
    assert write("[{{ deal.name.upper }}{{ deal.amount.currency.join }}{{ deal.items }}{{ loop }}{{ range }}]") == "[]"
    assert write("{% for x in [1] %}{{ loop.cycle is defined }}{% endfor %}") == "no"


def test_a_computed_key_reaches_no_internals(write: Write) -> None:
    assert write("[{{ deal['_' ~ '_class__'] }}{{ ''['_' ~ '_class__'] }}{{ [1] | sum('__class__') }}]") == "[0]"


def test_characters_no_message_may_hold_are_replaced(write: Write) -> None:
    assert write(r"{{ 'a\x00b\ud800c' }}") == "a\ufffdb\ufffdc"


PATHS = [
    ("{{ Project.Name }}{{ deal.account.name | upper }}", [("Project", "Name"), ("deal", "account", "name")], "fields"),
    ('{{ deal["name"] }}{{ deal.lines[0].price }}', [("deal", "name"), ("deal", "lines", "price")], "items"),
    (
        "{% for l in deal.lines if l.ok %}{{ L.name }}{{ loop.index }}{% endfor %}",
        [("deal", "lines"), ("deal", "lines", "ok"), ("deal", "lines", "name")],
        "loop variables",
    ),
    ("{% set a = deal.account %}{{ a.name }}", [("deal", "account"), ("deal", "account", "name")], "set variables"),
    (
        "{% set a = deal.x %}{% if deal.c %}{% set a = deal.y %}{% endif %}{{ a.n }}",
        [("deal", "x"), ("deal", "c"), ("deal", "y"), ("deal", "y", "n"), ("deal", "x", "n")],
        "set in a branch",
    ),
    (
        "{{ (deal.a or deal.b).c }}",
        [("deal", "a", "c"), ("deal", "b", "c"), ("deal", "a"), ("deal", "b")],
        "alternatives",
    ),
    ("{{ deal[key].x }}", [("deal", "x"), ("key",)], "computed keys"),
    ("{% for k, v in pairs %}{{ k.x }}{% endfor %}", [("pairs",)], "unpacked items are not known"),
    ("{{ x | currency(deal.code) }}{{ 1 }}", [("x",), ("deal", "code")], "arguments"),
    ("{{ broken", [], "a template that cannot be read"),
    ("{{ x" + " + 1" * 5_000 + " }}", [], "a template that nests too deeply"),
]


@pytest.mark.parametrize(("source", "expected", "why"), PATHS, ids=[row[2] for row in PATHS])
def test_paths_are_those_the_template_reads(
    renderer: JinjaRenderer, source: str, expected: list[tuple[str, ...]], why: str
) -> None:
    assert renderer.paths(source) == expected


def test_fields_are_found_in_any_case_and_keep_their_spelling() -> None:
    fields = Fields({"First Name": 1, "straße": 2})

    assert (fields["FIRST NAME"], fields["STRASSE"], list(fields), len(fields)) == (1, 2, ["First Name", "straße"], 2)
    assert fields.get("none") is None
