"""An example of each kind of action, and a mistake in it. Both are run through the checks, so that they stay true."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

AROUND = """
kind: object
name: account
fields:
  name: {type: text, required: true}
  email: {type: email}
  owner: {type: reference, object: user}
  open_deals: {type: integer}
---
kind: object
name: deal
owner_field: owner
fields:
  name: {type: text, required: true}
  amount: {type: currency, currency: EUR}
  stage: {type: select, options: [Salesperson not assigned, Quotation in progress, Won, Lost]}
  owner: {type: reference, object: user}
  account: {type: reference, object: account}
  tags: {type: multi_select, options: [urgent, won-back]}
  score: {type: integer}
  due_on: {type: date}
  visited_at: {type: datetime}
---
kind: function
name: score
arn: arn:aws:lambda:eu-central-1:123456789012:function:deal-score:live
sets: {deal: [score]}
---
kind: scenario
name: quotation-due
object: deal
stage: {field: stage, is: Quotation in progress}
steps:
  - {name: ring, at: {date: due_on}, type: notify, to: [{field: owner}], body: "{{ deal.name }} is due"}
"""
"""What the examples are about."""


class Example(NamedTuple):
    """A list of actions; and one action with a mistake."""

    right: str
    wrong: str


EXAMPLES: Mapping[str, Example] = MappingProxyType(
    {
        "notify": Example(
            """
- name: tell-owner
  type: notify
  to: [{field: owner}, {manager_of: owner}]
  via: [inbox, email]
  subject: "{{ deal.name }} is won"
  body: "{{ deal.account.name }} has signed: {{ deal.amount }}."
""",
            """
- {name: tell-owner, type: notify, to: [{field: owner}], via: [inbox, email], body: "{{ deal.name }} is won"}
""",
        ),
        "send_email": Example(
            """
- name: first-mail
  at: {after: 2 hours}
  unless_changed: true
  type: send_email
  to: [{field: owner}, {role: sales_manager}]
  cc: [{manager_of: owner}]
  subject: "{{ deal.name }} waits"
  text: "{{ deal.name }} has been waiting since {{ entered_at | datetime }}."
""",
            """
- {name: first-mail, type: send_email, to: [{field: account}], subject: "{{ deal.nmae }} waits", text: Please call.}
""",
        ),
        "send_sms": Example(
            """
- name: last-sms
  at: {after: 6 hours}
  quiet_hours: {from: "20:00", to: "07:00"}
  type: send_sms
  to: [{field: owner}, {phone: "+49 30 901820"}]
  text: "{{ deal.name }} has had no salesperson for 6 hours."
""",
            """
- {name: last-sms, type: send_sms, to: [{address: ada@example.com}], text: "{{ deal.name }} waits"}
""",
        ),
        "update_field": Example(
            """
- name: bring-up-to-date
  type: update_field
  set:
    stage: Won
    visited_at: {now: true}
    due_on: {add: 3 business days}
    amount: {multiply: 1.19}
    tags: {remove: [urgent]}
    name: {template: "{{ deal.account.name }}: {{ deal.name }}"}
    owner: {field: account.owner}
    score: {clear: true}
- name: count
  type: update_field
  related: account
  set:
    open_deals: {subtract: 1}
""",
            """
- name: bring-up-to-date
  type: update_field
  set: {stage: Wno, amount: {add: 3 days}, name: {clear: true}, due_on: {field: amount}, price: 7}
""",
        ),
        "set_stage": Example(
            """
- {name: begin, type: set_stage, field: stage, to: Quotation in progress}
""",
            """
- {name: begin, type: set_stage, field: stage, to: Quotation}
""",
        ),
        "assign_owner": Example(
            """
- {name: take-turns, type: assign_owner, among: [{role: sales}], by: round_robin, rotation: sales}
- {name: to-the-account, type: assign_owner, to: {field: account.owner}, only_if: {field: account, op: not_empty}}
""",
            """
- {name: take-turns, type: assign_owner, among: [{role: sales}]}
""",
        ),
        "lock_record": Example(
            """
- {name: lock, type: lock_record, why: "Won at {{ deal.amount }}"}
""",
            """
- {name: lock, type: lock_record, why: "Won at {{ deal.price }}"}
""",
        ),
        "unlock_record": Example(
            """
- {name: unlock, type: unlock_record}
""",
            """
- {name: unlock, type: unlock_record, reason: It is worked on again}
""",
        ),
        "start_process": Example(
            """
- {name: watch, type: start_process, process: quotation-due}
""",
            """
- {name: watch, type: start_process, process: quotation-over-due}
""",
        ),
        "create_task": Example(
            """
- name: call
  type: create_task
  title: "Call {{ deal.account.name }}"
  description: "{{ deal.name }}, {{ deal.amount }}"
  assignee: [{field: owner}, {manager_of: owner}]
  due: {date: due_on, offset: -3 business days, time: "09:00"}
  remind:
    - {before_due: 1 hour}
    - {after_due: 1 day, via: [inbox, email], subject: "{{ task.title }} was due", body: "Please call."}
""",
            """
- {name: call, type: create_task, title: Call, assignee: [{field: account.email}], due: tomorrow}
""",
        ),
        "create_event": Example(
            """
- name: visit
  type: create_event
  title: "Visit {{ deal.account.name }}"
  location: At the customer's
  starts: {date: visited_at, offset: 7 days}
  lasts: 90 minutes
  attendees: [{field: owner}, {field: account.email}, {address: reception@example.com}]
""",
            """
- {name: visit, type: create_event, title: Visit, starts: {date: name}, lasts: -1 hour}
""",
        ),
        "create_sales_record": Example(
            """
- {name: keep, type: create_sales_record, entry: note, text: "Won: {{ deal.amount }}", author: {field: account.owner}}
""",
            """
- {name: keep, type: create_sales_record, entry: mail, text: "Won: {{ deal.amount }}"}
""",
        ),
        "run_function": Example(
            """
- name: score
  type: run_function
  function: score
  parameters:
    weight: 2.5
    amount: {field: amount}
    customer: {template: "{{ deal.account.name }}"}
""",
            """
- {name: score, type: run_function, function: scores, parameters: {amount: {field: price}}}
""",
        ),
        "call_webhook": Example(
            """
- name: tell-billing
  type: call_webhook
  url: https://billing.example.com/hooks/won
  secret: billing
  body:
    customer: "{{ deal.account.name }}"
    lines: [{text: "{{ deal.name }}", amount: "{{ deal.amount }}", quantity: 1}]
""",
            """
- {name: tell-billing, type: call_webhook, url: https://10.0.0.7/hooks, secret: billing}
""",
        ),
    }
)
