"""`notify`: people are told in their inbox, by e-mail or both; each once, with the way back to the record."""

from datetime import timedelta
from typing import Any

import pytest

from stagebell.domain.errors import DeliveryThrottled, RecordBusy, StagebellError
from stagebell.domain.executions import Task
from stagebell.ports.inbox import Notice
from tests.stage import DEAL, START, UNASSIGNED, WON, Stage, scenario

LINKED = DEAL | {"record_url": "https://crm.example.com/deals/{{ id }}?tab={{ stage }}"}
BOTH = ["inbox", "email"]


class Died(BaseException):
    pass


def told(**more: Any) -> dict[str, Any]:
    """A workflow that tells somebody when a deal is won."""
    action = {"name": "tell", "type": "notify", "to": [{"field": "owner"}], "body": "{{ deal.name }} is won."}
    trigger = {"on": "updated", "fields": ["stage"]}
    return {"kind": "workflow", "name": "won", "object": "deal", "trigger": trigger, "actions": [action | more]}


def office(*documents: dict[str, Any]) -> Stage:
    """Ada reports to Bob, Eve to Cy, who has left; Di has no address."""
    stage = Stage(*documents)
    stage.user("ada", name="Ada", email="ada@example.com", phone="+49 30 901820", manager="bob", roles=["seller"])
    stage.user("bob", name="Bob", email="bob@example.com", roles=["seller", "boss"], locale="de")
    stage.user("cy", name="Cy", email="cy@example.com", roles=["seller", "gone"], active=False)
    stage.user("di", name="Di")
    stage.user("eve", name="Eve", manager="cy")
    stage.post("a1", object="account", name="Acme & Sons", owner="di")
    return stage


def won(action: dict[str, Any], *documents: dict[str, Any], mode: str = "run", **fields: Any) -> Stage:
    """A deal of Ada's that has been won; what was to be told was told."""
    stage = office(*documents, told(**action))
    given = {"name": "Big deal", "owner": "ada", "account": "a1"} | fields
    stage.post(**given, stage=UNASSIGNED, actor_="bob", type_="created")
    stage.post(stage=WON, mode_=mode)
    stage.advance(minutes=0)
    return stage


def inbox(stage: Stage, user: str = "ada") -> tuple[Notice, ...]:
    return stage.offline.inbox.notices(user).items


def mailed(stage: Stage) -> list[str]:
    return sorted(email.to for email in stage.offline.mailer.sent)


def step(stage: Stage) -> Any:
    return stage.runs()[0].steps[0]


def test_a_notice_says_what_when_and_about_which_record():
    stage = won({"subject": "{{ deal.name }} is won"}, LINKED)

    (notice,) = inbox(stage)
    (run,) = stage.runs()
    assert (notice.subject, notice.body) == ("Big deal is won", "Big deal is won.")
    assert (notice.record, notice.run, notice.definition) == (run.key, run.id, "won")
    assert notice.url == "https://crm.example.com/deals/deal-7?tab=Won"
    assert (notice.at, notice.read_at) == (stage.now, None)
    assert [(d.key, d.channel, d.recipient, d.person, d.state) for d in stage.deliveries] == [
        (notice.id, "inbox", "ada", "ada", "sent")
    ]
    assert (run.status, step(stage).status, step(stage).deliveries) == ("completed", "acted", (notice.id,))


@pytest.mark.parametrize(
    ("via", "in_inbox", "by_mail", "reason"),
    [
        (None, 1, [], "the inbox where nothing is said"),
        (["inbox"], 1, [], "the inbox"),
        (["email"], 0, ["ada@example.com"], "e-mail alone"),
        (["inbox", "email"], 1, ["ada@example.com"], "both"),
        (["email", "inbox", "email"], 1, ["ada@example.com"], "each once, however often it is written"),
    ],
)
def test_people_are_told_by_the_ways_the_action_names(via, in_inbox, by_mail, reason):
    stage = won({"via": via, "subject": "Won"})

    assert (len(inbox(stage)), mailed(stage)) == (in_inbox, by_mail), reason
    assert len(stage.deliveries) == in_inbox + len(by_mail)


@pytest.mark.parametrize(
    ("to", "users", "reason"),
    [
        ([{"field": "owner"}, {"user": "ada"}, {"role": "seller"}], ["ada", "bob"], "named three times, told once"),
        (
            [{"field": "owner"}, {"manager_of": "owner"}, {"creator": True}],
            ["ada", "bob"],
            "the creator is the manager",
        ),
        ([{"field": "account.owner"}], ["di"], "nobody needs an address to have an inbox"),
    ],
)
def test_everybody_is_told_once(to, users, reason):
    stage = won({"to": to, "via": BOTH, "subject": "Won"})

    assert [user for user in ("ada", "bob", "cy", "di") if inbox(stage, user)] == users, reason
    assert [len(inbox(stage, user)) for user in users] == [1] * len(users)
    assert len(mailed(stage)) == len(set(mailed(stage)))


SOME = {"user": "ada"}


@pytest.mark.parametrize(
    ("to", "via", "status", "missing", "reason"),
    [
        ([{"user": "cy"}], None, "skipped", ("user cy", "inactive_user", "cy"), "nobody: Cy has left"),
        ([{"user": "cy"}, SOME], None, "acted", ("user cy", "inactive_user", "cy"), "some, and who was left out"),
        ([{"user": "cy"}, SOME], BOTH, "acted", ("user cy", "inactive_user", "cy"), "said once, not for each way"),
        ([{"field": "owner.manager"}], None, "skipped", ("field owner.manager", "inactive_user", "cy"), "along a path"),
        ([{"user": "zoe"}], None, "skipped", ("user zoe", "no_such_user", "zoe"), "a user nobody has heard of"),
        ([{"role": "desk"}, SOME], None, "acted", ("role desk", "empty_group", ""), "a role without people"),
        ([{"role": "gone"}], None, "skipped", ("role gone", "empty_group", ""), "or only with people who have left"),
        ([{"address": "x@y.example"}], None, "skipped", ("address x@y.example", "no_inbox", ""), "only an address"),
        (
            [{"phone": "+49 1"}],
            BOTH,
            "skipped",
            ("phone +49 1", "no_inbox", ""),
            "or a number, the first reason counts",
        ),
        ([{"field": "contact"}, SOME], None, "acted", ("field contact", "not_set", ""), "an empty field"),
        ([{"user": "di"}], BOTH, "acted", ("user di", "no_email", ""), "told in the inbox, not by e-mail"),
    ],
)
def test_the_step_says_who_was_not_reached_and_why(to, via, status, missing, reason):
    stage = won({"to": to, "via": via, "subject": "Won"}, owner="eve")

    recipient, why, user = missing
    assert (step(stage).status, step(stage).reason) == (status, "" if status == "acted" else why), reason
    first, *others = step(stage).why["missing"]
    assert first == {"recipient": recipient, "reason": why} | ({"user": user} if user else {})
    assert {other["recipient"] for other in others} <= {recipient}, "another way, another reason"
    assert inbox(stage, "cy") == ()


def test_when_everybody_is_reached_the_step_says_nothing_of_it():
    assert step(won({})).why is None


def test_of_many_who_were_not_reached_the_step_names_the_first():
    stage = office(told(to=[{"user": f"u{number}"} for number in range(23)]))

    stage.post(stage=WON)
    stage.advance(minutes=0)

    why = step(stage).why
    assert (len(why["missing"]), why["more"]) == (20, 3)


def test_an_inbox_is_read():
    stage = won({})
    (notice,) = inbox(stage)

    unread = stage.offline.inbox.unread("ada")
    stage.offline.inbox.mark_read("ada", notice.id, START + timedelta(hours=1))

    assert (unread, stage.offline.inbox.unread("ada")) == (1, 0)
    assert inbox(stage)[0].read_at == START + timedelta(hours=1)


@pytest.mark.parametrize(
    ("size", "shown", "detail", "reason"),
    [
        (499, "x" * 499, "", "short enough"),
        (500, "x" * 500, "", "just as long as it may be"),
        (501, "x" * 499 + "…", "the text had 501 characters and was cut to 500", "one too many"),
        (9_000, "x" * 499 + "…", "the text had 9,000 characters and was cut to 500", "far too many"),
    ],
)
def test_a_text_of_more_than_500_characters_is_cut_and_the_delivery_says_so(size, shown, detail, reason):
    stage = won({"body": "{{ deal.name }}", "via": BOTH, "subject": "Won"}, name="x" * size)

    assert inbox(stage)[0].body == shown, reason
    assert stage.offline.mailer.sent[0].text == shown
    assert [delivery.detail for delivery in stage.deliveries] == [detail, detail]
    assert {delivery.state for delivery in stage.deliveries} == {"sent"}


@pytest.mark.parametrize(
    ("body", "shown", "reason"),
    [
        ("{{ Project.Name }}", "Big deal", "the alias, whatever the case of the letters"),
        ("{{ PROJECT.NAME }} {{ project.name }}", "Big deal Big deal", "in capitals, and in none"),
        ("{{ Project.Account.Name }}", "Acme & Sons", "fields of related records"),
        ("{{ deal.account.owner.name }}", "Di", "and of those they refer to"),
        ("{{ recipient.name }} ({{ recipient.id }})", "Ada (ada)", "who is told"),
        ("<b>{{ Project.Name }}</b>", "<b>Big deal</b>", "plain text: nothing is markup"),
        ("{{ Project.Amount | currency }}", "€1,234.50", "in the language of who is told"),
    ],
)
def test_the_text_sees_the_record(body, shown, reason):
    assert inbox(won({"body": body}, amount="1234.5"))[0].body == shown, reason


def test_everybody_is_told_in_their_own_language():
    stage = won({"to": [{"role": "seller"}], "body": "{{ deal.amount | currency }}"}, amount="1234.5")

    assert inbox(stage, "ada")[0].body == "€1,234.50"
    assert inbox(stage, "bob")[0].body.replace("\xa0", " ") == "1.234,50 €"


@pytest.mark.parametrize(
    ("template", "subject", "text", "reason"),
    [
        ({"channel": "inbox", "text": "{{ deal.name }}!"}, "", "Big deal!", "of the inbox: a text will do"),
        ({"channel": "inbox", "text": "Hi", "subject": "Won"}, "Won", "Hi", "and a subject may stand above it"),
        ({"channel": "email", "subject": "Won", "html": "<p>Big &amp; good</p>"}, "Won", "Big & good", "HTML as text"),
    ],
)
def test_an_action_may_name_a_template(template, subject, text, reason):
    document = {"kind": "template", "name": "note", **template}

    (notice,) = inbox(won({"template": "note", "body": None}, document))

    assert (notice.subject, notice.body) == (subject, text), reason


@pytest.mark.parametrize(
    ("action", "code", "reason"),
    [
        ({"body": "{{ deal.due_on or '' }}"}, "render_failed", "a text that comes out empty"),
        ({"subject": "{{ deal.due_on or '' }}", "via": BOTH}, "render_failed", "an e-mail without a subject"),
        ({"body": "{{ 1 / 0 }}"}, "render_failed", "a text that cannot be worked out"),
        ({"body": None, "template": "gone"}, "definition_broken", "a template that is not active"),
    ],
)
def test_what_cannot_be_written_fails_the_step_and_nobody_is_told(action, code, reason):
    stage = won(action)

    assert (step(stage).status, step(stage).reason) == ("failed", code), reason
    assert (stage.deliveries, inbox(stage), stage.offline.mailer.sent) == ([], (), [])


# --- the way back -------------------------------------------------------------------------------------------------


def test_an_e_mail_leads_back_to_the_record():
    stage = won(
        {"via": ["email"], "subject": "Won", "body": "Well <done>,\nall.\n\nBye & thanks"}, LINKED, name="A <b> C"
    )

    (email,) = stage.offline.mailer.sent
    url = "https://crm.example.com/deals/deal-7?tab=Won"
    assert email.text == f"Well <done>,\nall.\n\nBye & thanks\n\n{url}"
    assert email.html == (
        "<p>Well &lt;done&gt;,<br>all.</p><p>Bye &amp; thanks</p>"
        f'<p><a href="{url}">A &lt;b&gt; C</a></p>'
    )  # fmt: skip


def test_without_a_record_url_an_e_mail_has_no_link():
    stage = won({"via": BOTH, "subject": "Won", "body": "Done."})

    assert [(email.text, email.html) for email in stage.offline.mailer.sent] == [("Done.", "<p>Done.</p>")]
    assert inbox(stage)[0].url == ""


def test_a_reminder_of_a_task_leads_to_the_record_the_task_is_about():
    remind = told(to=[{"field": "assignee"}], subject="{{ task.title }}", body="{{ record_url }}") | {
        "object": "task",
        "trigger": {"on": "created"},
    }
    stage = office(LINKED, remind)
    stage.post(name="Big deal", stage=WON)

    about = {"record_object": "deal", "record_id": "deal-7"}
    stage.post("t1", object="task", title="Call", assignee="ada", type_="created", **about)
    stage.advance(minutes=0)

    (notice,) = inbox(stage)
    assert (notice.record.object, notice.url) == ("task", "https://crm.example.com/deals/deal-7?tab=Won")
    assert notice.body == notice.url


def test_reminders_may_go_by_sms():
    stage = won({"via": ["inbox", "sms"], "to": [{"user": "ada"}, {"user": "bob"}], "body": "x" * 501})

    assert [(message.phone, message.text) for message in stage.offline.texter.sent] == [
        ("+4930901820", "x" * 499 + "…")
    ]
    assert step(stage).why == {"missing": [{"recipient": "user bob", "reason": "no_phone"}]}
    assert (len(inbox(stage, "ada")), len(inbox(stage, "bob"))) == (1, 1)


# --- what must not be sent, and what happens when something fails --------------------------------------------------


def test_a_quiet_import_tells_nobody():
    stage = won({"via": BOTH, "subject": "Won"}, mode="quiet")

    assert [(d.channel, d.state, d.reason) for d in stage.deliveries] == [
        ("inbox", "suppressed", "quiet_import"),
        ("email", "suppressed", "quiet_import"),
    ]
    assert (inbox(stage), stage.offline.mailer.sent) == ((), [])
    assert (step(stage).status, step(stage).reason) == ("skipped", "quiet_import")


def test_a_suppressed_address_is_not_written_to_but_its_inbox_is():
    stage = office(told(via=BOTH, subject="Won"))
    stage.offline.suppressions.add("email", "ADA@example.com", "bounced", START)

    stage.post(owner="ada", stage=WON)
    stage.advance(minutes=0)

    assert {d.channel: (d.state, d.reason) for d in stage.deliveries} == {
        "inbox": ("sent", ""),
        "email": ("suppressed", "bounced"),
    }
    assert (len(inbox(stage)), step(stage).status) == (1, "acted")


def due(**more: Any) -> tuple[Stage, Task]:
    """A deal whose only step, which tells Ada and Bob, is due now."""
    action = {"name": "tell", "type": "notify", "at": {"after": "5 minutes"}, "to": [{"role": "seller"}], "body": "Hi"}
    stage = office(scenario(steps=[action | more]))
    run = stage.enter("deal-7", UNASSIGNED)
    stage.offline.clock.advance(START + timedelta(minutes=5))
    return stage, Task(run, "tell", 1, START)


def act(stage: Stage, task: Task) -> None:
    stage.offline.actor.act(task, stage.offline.actions["notify"])


@pytest.mark.parametrize(
    ("before", "error", "reason"),
    [
        (True, Died, "the process died before the notice was put"),
        (False, Died, "or after it, before that was noted"),
        (True, RecordBusy, "the inbox could not be reached"),
        (False, RecordBusy, "or its answer was lost"),
    ],
)
def test_a_notice_is_there_once_whatever_happened_while_it_was_put(monkeypatch, before, error, reason):
    stage, task = due()
    put, faults = stage.offline.inbox.put, [error("x")]

    def fragile(notice: Notice) -> None:
        if not before:
            put(notice)
        if faults:
            raise faults.pop()
        put(notice)

    monkeypatch.setattr(stage.offline.inbox, "put", fragile)
    with pytest.raises(error):
        act(stage, task)
    between = [d.state for d in stage.deliveries]
    stage.offline.clock.advance(stage.now + timedelta(seconds=30))
    act(stage, task)

    assert between == ["sending"]
    assert (len(inbox(stage, "ada")), len(inbox(stage, "bob"))) == (1, 1), reason
    assert [(d.state, d.reason) for d in stage.deliveries] == [("sent", ""), ("sent", "")]
    assert stage.runs()[0].steps[0].status == "acted"


def test_when_mail_is_throttled_the_notices_that_are_there_stay_as_they_are():
    stage, task = due(via=BOTH, subject="Hi")
    faults = [DeliveryThrottled("later")]

    def fault(_: object) -> None:
        if faults:
            raise faults.pop()

    stage.offline.mailer._fault = fault
    with pytest.raises(DeliveryThrottled):
        act(stage, task)
    stage.offline.clock.advance(stage.now + timedelta(seconds=30))
    act(stage, task)

    assert [notice.at for notice in (*inbox(stage, "ada"), *inbox(stage, "bob"))] == [START + timedelta(minutes=5)] * 2
    assert mailed(stage) == ["ada@example.com", "bob@example.com"]


def test_users_whose_ids_differ_in_case_alone_are_told_each_for_themselves():
    stage = office(told(to=[{"user": "0015gA"}, {"user": "0015ga"}]))
    stage.user("0015gA", name="Upper")
    stage.user("0015ga", name="Lower")

    stage.post(stage=WON)
    stage.advance(minutes=0)

    assert (len(inbox(stage, "0015gA")), len(inbox(stage, "0015ga"))) == (1, 1)


def test_a_step_that_nobody_tries_again_leaves_nothing_undecided(monkeypatch):
    stage, task = due()

    def full(notice: Notice) -> None:
        raise RecordBusy("busy")

    monkeypatch.setattr(stage.offline.inbox, "put", full)
    with pytest.raises(RecordBusy):
        act(stage, task)
    act(stage, Task(task.run, task.step, task.execution, task.born, {"Error": "RecordBusy", "Cause": "busy"}))

    assert [(d.state, d.reason) for d in stage.deliveries] == [("unknown", "retries_exhausted")]
    assert stage.runs()[0].status == "failed"


def test_what_became_of_a_notice_is_not_left_open_where_the_inbox_fails_for_good(monkeypatch):
    def broken(notice: Notice) -> None:
        raise StagebellError("the inbox could not be changed")

    stage = office(told())
    monkeypatch.setattr(stage.offline.inbox, "put", broken)
    stage.post(name="Big deal", owner="ada", stage=UNASSIGNED, type_="created")
    stage.post(stage=WON)
    stage.advance(minutes=0)

    (delivery,) = stage.deliveries
    assert (step(stage).status, delivery.state, delivery.detail) == (
        "failed",
        "unknown",
        "the inbox could not be changed",
    )
