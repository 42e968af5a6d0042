"""The words of a message: from a template or the step, in the recipient's language and time."""

from typing import Any

import pytest

from tests.stage import DEAL, UNASSIGNED, Stage, mail, scenario

TEMPLATE = {"kind": "template", "name": "note", "channel": "email", "subject": "About {{ deal.name }}"}


ENDLESS = "{% for a in range(9999999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}"


def message(step: dict[str, Any], *documents: dict[str, Any], **fields: Any):
    stage = composed(step, *documents, **fields)
    assert stage.runs()[0].steps[0].status == "acted", stage.runs()[0].steps[0]
    return (stage.offline.mailer.sent or stage.offline.texter.sent)[0]


def composed(step: dict[str, Any], *documents: dict[str, Any], **fields: Any) -> Stage:
    stage = Stage(*documents, scenario(steps=[step], timezone="Europe/Berlin"))
    stage.user("ada", name="Ada", email="ada@example.com", locale="de", timezone="Asia/Tokyo", manager="bob")
    stage.user("bob", name="Bob", email="bob@example.com", locale="xx-YY", timezone="Mars/Base")
    stage.post("a1", object="account", name="Acme & Sons", tier="gold", owner="ada")
    stage.post(stage=UNASSIGNED, account="a1", owner="ada", name="Big deal", **fields)
    stage.advance(minutes=5)
    return stage


def written(text: str, **more: Any) -> dict[str, Any]:
    return mail("m", {"after": "5 minutes"}, to=[{"field": "owner"}]) | {"subject": "Note", "text": text} | more


def sms(text: str, **more: Any) -> dict[str, Any]:
    to = [{"phone": "+49 30 901820"}]
    return {"name": "m", "type": "send_sms", "at": {"after": "5 minutes"}, "to": to, "text": text, **more}


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("{{ deal.name }}", "Big deal", "the record under its object's name"),
        ("{{ Project.Name }}", "Big deal", "or its alias, in any case"),
        ("{{ record.id }}", "deal-7", "or plainly as the record"),
        ("{{ deal }}", "Big deal", "shown by its title"),
        ("{{ deal.account.name }} of {{ deal.account.owner.name }}", "Acme & Sons of Ada", "over references"),
        ("{{ deal.account.tier }}", "gold", "an option"),
        ("{{ recipient.name }}", "Ada", "who it is written to"),
        ("{% if deal.amount > 1000 %}big{% endif %}", "big", "amounts are numbers"),
        ("{% if deal.urgent %}!{% else %}.{% endif %}", ".", "booleans and missing values"),
        ("{{ deal.due_on or 'no date' }}", "no date", "what is missing is nothing"),
        ("{{ entered_at | datetime }}", "18:00", "in the recipient's zone: Tokyo"),
    ],
)
def test_a_template_sees(text, expected, reason):
    assert expected in message(written(text), amount="1234.50", urgent=False).text, reason


def test_a_message_is_written_in_the_recipients_locale():
    german = message(
        written("{{ deal.amount | currency }} bis {{ deal.due_on | date }}"), amount="1234.5", due_on="2026-04-01"
    )

    assert "1.234,50" in german.text and "04.2026" in german.text


def test_an_owner_with_a_locale_and_zone_that_are_none_is_still_written_to():
    step = written("{{ entered_at | datetime }} {{ deal.amount | currency }}", to=[{"manager_of": "owner"}])

    assert "10:00" in message(step, amount=5).text, "in the definition's zone, Berlin"


def test_html_is_escaped_and_text_is_made_of_it_where_none_is_written():
    sent = message(written("") | {"text": None, "html": "<p>{{ deal.account.name }}</p><p>Bye</p>"})

    assert sent.html == "<p>Acme &amp; Sons</p><p>Bye</p>"
    assert "Acme & Sons" in sent.text and "<" not in sent.text


def test_a_subject_is_one_line():
    assert (
        message(
            written("x", subject="Re: {{ deal.name }}"),
        ).subject
        == "Re: Big deal"
    )
    hostile = Stage(scenario(steps=[written("x", subject="Re: {{ deal.name }}", to=[{"address": "a@example.com"}])]))
    hostile.post(stage=UNASSIGNED, name="a\r\nBcc: eve@example.com")
    hostile.advance(minutes=5)

    assert "\n" not in hostile.offline.mailer.sent[0].subject and "\r" not in hostile.offline.mailer.sent[0].subject


LINKED = DEAL | {"record_url": "https://crm.example.com/deals/{{ id }}?of={{ account }}&tab=1"}


@pytest.mark.parametrize("name", ["record_url", "Record_URL"])
def test_a_message_may_say_where_the_record_is_shown(name):
    step = written(f"See {{{{ {name} }}}}.") | {"html": f'<a href="{{{{ {name} }}}}">here</a>'}

    sent = message(step, LINKED)

    assert sent.text == "See https://crm.example.com/deals/deal-7?of=a1&tab=1."
    assert sent.html == '<a href="https://crm.example.com/deals/deal-7?of=a1&amp;tab=1">here</a>'


def test_where_nobody_says_where_records_are_shown_the_address_is_empty():
    assert message(written("{% if record_url %}{{ record_url }}{% else %}nowhere{% endif %}")).text == "nowhere"


def test_an_sms_may_say_it_too():
    assert message(sms("{{ record_url }}"), LINKED).text == "https://crm.example.com/deals/deal-7?of=a1&tab=1"


def test_an_address_that_cannot_be_made_stops_only_the_messages_that_ask_for_it():
    broken = DEAL | {"record_url": "https://crm.example.com/{{ name + 1 }}"}

    asked = composed(written("{{ record_url }}"), broken)

    assert asked.runs()[0].steps[0].reason == "render_failed"
    assert "record_url of deal" in asked.runs()[0].steps[0].why["error"]
    assert message(written("Hello"), broken).text == "Hello"


def test_a_step_may_name_a_template_and_marketing_mail_can_be_left():
    step = mail("m", {"after": "5 minutes"}, to=[{"field": "owner"}], template="note")

    sent = message(step, TEMPLATE | {"text": "Hello", "marketing": True})

    assert (sent.subject, sent.text) == ("About Big deal", "Hello")
    assert "unsubscribe" in sent.headers["List-Unsubscribe"]


def test_the_template_is_the_active_one_when_the_step_acts():
    step = mail("m", {"after": "5 minutes"}, to=[{"address": "a@example.com"}], template="note")
    stage = Stage(TEMPLATE | {"text": "old"}, scenario(steps=[step]))
    stage.post(stage=UNASSIGNED, name="x")

    stage.activate(TEMPLATE | {"text": "new"})
    stage.advance(minutes=5)

    assert [email.text for email in stage.offline.mailer.sent] == ["new"]


@pytest.mark.parametrize(
    ("step", "code", "reason"),
    [
        (written("{{ 1 / 0 }}"), "render_failed", "a template that fails"),
        (written("{{ deal.nothing.at.all }}"), "render_failed", "or asks for what is not there"),
        (written("   "), "render_failed", "an empty message"),
        (written("x", subject="{{ deal.due_on or '' }}"), "render_failed", "an empty subject"),
        (written(ENDLESS), "template_error", "one that never ends"),
        (written("{{ ''.__class__.__mro__ }}"), "template_error", "one that reaches for the insides of Python"),
        (sms(""), "render_failed", "an empty SMS"),
        (sms("ж" * 671), "render_failed", "eleven parts"),
        (mail("m", {"after": "5 minutes"}, template="gone"), "definition_broken", "a template that is not active"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_written_fails_the_step_and_nothing_is_sent(step, code, reason):
    stage = composed(step)

    assert (stage.runs()[0].steps[0].status, stage.runs()[0].steps[0].reason) == ("failed", code), reason
    assert stage.deliveries == [] and stage.offline.mailer.sent == [] and stage.offline.texter.sent == []


def test_an_sms_knows_its_parts_and_its_sender():
    stage = composed(sms("x" * 161, sender_id="Acme", transactional=False))

    assert [(m.sender_id, m.transactional) for m in stage.offline.texter.sent] == [("Acme", False)]
    assert [d.parts for d in stage.deliveries] == [2]
