"""The page of states: every state and reason of changes, runs, steps and deliveries."""

from stagebell.cli.markdown import code, page, table
from stagebell.domain.built_ins import ROLES_LIMIT

EVENTS = {
    "created": "the first change of type `created`",
    "updated": "at least one value differs",
    "saved": "accepted, without a difference",
    "deleted": "the record is gone",
    "echo": "its source repeats what it was told of a change made here: it starts nothing",
    "locked": "nobody but an authoritative source changes the record from now on",
    "unlocked": "anybody may again",
    "manual": "somebody, or an action, started a definition by hand",
    "stale": "it came too late: newer values are known",
    "refused": "it was not stored: the note says why",
}
NOTES = {
    "record_locked": "refused: the record is locked, and its source is not authoritative",
    "record_too_large": "refused: the record would be larger than a record may be",
    "too_many_roles": f"refused: a user has at most {ROLES_LIMIT} roles",
    "mirrored_while_locked": "the record is locked, but its source is authoritative",
    "overtakes_write_back": "its source wrote another value than it was told, or was still to be told, in the three "
    "days before: the newer one wins",
    "unknown_zone_or_locale": "a user's `timezone` is no IANA name, or `locale` begins with no code of a language: the "
    "zone of the definition or the stack is used, and English",
}
EVALUATIONS = {
    "started": "a run began",
    "not_matched": "the entry condition did not hold; `why` shows the values",
    "once_only": "`reentry: once`, and the record has had its run",
    "already_running": "`reentry: every_entry`, and the run that waits goes on",
    "loop_stopped": "`limit` says why: `depth`, too many changes led to each other; or `runs_per_hour`, too many "
    "runs of the definition and record in an hour",
    "too_many_runs": "`limit` says why: `open_runs_per_record`, too many runs of the record are open; or "
    "`starts_per_change`, too many began at once",
}
RUNS = {
    "running": "it waits for its next step, or acts",
    "paused": "an operator deactivated the scenario and chose `pause`",
    "completed": "every step has ended",
    "failed": "a step failed (`step_failed`), its definition does not fit any more, or its machine died (`machine_…`)",
    "cancelled": "`stage_changed`, `cancel_condition`, `record_deleted`, `cancelled_by_operator`, "
    "`definition_deactivated`",
    "superseded": "the record entered again (`new_entry`)",
}
STEPS = {
    "waiting": "its time has not come, or nothing says when; `quiet_hours`: it waits for their end",
    "acted": "it did what it is for; `delivery_unknown`: nobody knows whether the message went out; `unchanged`, "
    "`already_locked`, `not_locked`: the record was so already; `why.missing` names who was not reached, with the "
    "reasons of `skipped`, or `too_many_copies`",
    "skipped": "`condition`, `stage_changed`, `past_due`, or nobody to write to: `not_set`, `no_such_user`, "
    "`inactive_user`, `empty_group`, `no_email`, `no_phone`, `no_inbox`, `no_user`, `no_recipient`; no record to "
    "change: `no_such_record`, `record_deleted`; no date to start on: `no_start`; the process was not "
    "started: `not_matched`, `once_only`, `already_running`",
    "failed": "the code of an error, `past_due`, `inactive_process`, `loop_stopped` or `too_many_runs` (`why.limit` "
    "says which limit was reached), or the name of the error after which the machine gave up",
    "cancelled": "`cancel_condition`, `new_entry`, or the reason for which its run ended",
}
DELIVERIES = {
    "planned": "the provider was busy; it is tried again",
    "sending": "recorded, and handed to the provider; the answer is not known yet",
    "unknown": "the answer was lost: it may or may not have gone out; `on_unknown` decided",
    "sent": "the provider, the function or the receiver took it; or it is in the inbox",
    "delivered": "the recipient's server took it",
    "bounced": "the recipient's server refused it",
    "failed": "the provider refused it, `retries_exhausted`, or `step_settled` while it waited for its next attempt; a "
    "write-back: `gone`, `gave_up` after three days, `change_forgotten` by the record's history",
    "suppressed": "not sent on purpose: `bounced` or `complained` earlier, `gone`, `quiet_import`, "
    "`not_a_phone_number`; a write-back: `overtaken` by newer values, `no_write_back` in its source any more",
}


def states_page() -> str:
    return page(
        "States and reasons",
        "Whatever happens or does not happen has a state and a reason, and both are stable words.",
        "## What a change was",
        _states(EVENTS, "event"),
        _states(NOTES, "note"),
        "## What a definition says to a change",
        _states(EVALUATIONS, "outcome"),
        "## Runs",
        _states(RUNS, "status"),
        "## Steps",
        _states(STEPS, "status"),
        "## Deliveries",
        "A delivery only moves forward: `planned`, `sending`, `sent`, `delivered`; feedback that comes late or twice "
        "does no harm.",
        _states(DELIVERIES, "state"),
    )


def _states(told: dict[str, str], head: str) -> str:
    return table((head, "what it means, and the reasons"), [(code(state), meaning) for state, meaning in told.items()])
