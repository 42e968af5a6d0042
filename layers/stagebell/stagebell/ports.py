"""Ports: what the services need from the world. Adapters implement them; one contract suite runs on each adapter."""

from __future__ import annotations  # so that importing the ports imports nothing else: receive_change needs few of them

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from stagebell.domain.changes import Change, RecordKey
    from stagebell.domain.deliveries import Channel, Delivery, State
    from stagebell.domain.echoes import Echo
    from stagebell.domain.invitations import Invitation
    from stagebell.domain.planning import Halt, Order, Tell, Wake
    from stagebell.domain.records import Record
    from stagebell.domain.rotations import Rotation
    from stagebell.domain.runs import Enrolment, Run


class Clock(Protocol):
    def now(self) -> datetime:
        """Business time (UTC). In AWS the real time; on one machine it may run faster."""

    def real(self, moment: datetime) -> datetime:
        """The real time at which business time reaches `moment`."""

    def real_now(self) -> datetime:
        """Real time (UTC): for signatures, time to live, and machines."""


@dataclass(frozen=True, slots=True)
class Page[T]:
    """One page of a listing; `cursor` is None on the last one."""

    items: tuple[T, ...]
    cursor: str | None = None


# --- definitions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Definition:
    """One stored version of a definition; `document` is its validated, normalised text."""

    kind: str
    name: str
    version: int
    document: Mapping[str, Any]
    saved_at: datetime
    saved_by: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a definition stands: its newest version and the active one (0: none).

    `halted` says what deactivation decided for live runs: continue, pause or cancel."""

    kind: str
    name: str
    latest: int
    active: int = 0
    halted: str = ""
    shelf: str = ""  # where the active version is filed: the object of a scenario or workflow, else the kind
    changed_at: datetime | None = None
    changed_by: str = ""


ACTIVE_LIMIT = 10_000


class Definitions(Protocol):
    def revision(self) -> int:
        """A number that every activation and deactivation raises: while it stands still, nothing changed."""

    def active(self, shelf: str) -> Sequence[Definition]:
        """The active definitions of a shelf: `object`, `source`, `template`, `calendar`, `function`, or
        `scenario:<object>`, which holds scenarios and workflows."""

    def version(self, kind: str, name: str, version: int) -> Definition | None: ...

    def versions(self, kind: str, name: str, cursor: str | None = None) -> Page[Definition]:
        """All versions, newest first."""

    def head(self, kind: str, name: str) -> Head | None: ...

    def heads(self, kind: str, cursor: str | None = None) -> Page[Head]:
        """All definitions of a kind by name."""

    def save(self, definition: Definition, expected_latest: int) -> None:
        """Store a new version; Conflict where someone else stored one meanwhile."""

    def point(self, head: Head, expected: Head, definition: Definition | None) -> None:
        """Move the active pointer (definition None: deactivate) and raise the revision; Conflict if it has moved, or if
        more than ACTIVE_LIMIT definitions would be active."""


# --- records and runs --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as stored, with what it remembers of each definition."""

    record: Record
    enrolments: Mapping[str, Enrolment]


@dataclass(frozen=True, slots=True)
class Applied:
    """The history entry of one change: what it said, what differed, what it started, and what must be dispatched."""

    change: Change
    applied_at: datetime
    event: str  # created, updated, saved, deleted, manual, locked, unlocked, echo; stale: too late; refused: see `note`
    before: Mapping[str, Any]  # of the fields that changed
    after: Mapping[str, Any]  # the whole record after it
    outdated: tuple[str, ...] = ()
    evaluations: tuple[Mapping[str, Any], ...] = ()
    dispatch: tuple[Order, ...] = ()
    note: str = ""  # a stable word: see the reference of states


@dataclass(frozen=True, slots=True)
class Filing:
    """How a record is found other than by its key. `owner`: the shelf of the user it belongs to, sorted by `order`;
    once it is closed, only follow-ups have one. `about`: the record whose follow-up it is."""

    owner: str = ""
    order: str = ""
    about: RecordKey | None = None


@dataclass(frozen=True, slots=True)
class Settling:
    """A run of another record whose step makes the change: it is stored with the change, if its own record still has
    that version and (where given) its enrolment still is this run's."""

    run: Run  # with its revision already raised by one
    version: int
    enrolment: Enrolment | None


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one change writes, in one transaction."""

    before: Record
    after: Record
    applied: Applied
    enrolments: Sequence[Enrolment] = ()
    started: Sequence[Run] = ()
    updated: Sequence[Run] = ()  # each with its revision already raised by one
    known: Mapping[str, Enrolment] | None = None  # the enrolments that were read: those written must still be so
    filing: Filing = field(default_factory=Filing)
    acting: str = ""  # the run whose step makes the change: among `updated`, or in `settling`
    settling: Settling | None = None
    rotation: Rotation | None = None  # with its revision already raised by one
    outbox: Sequence[Tell] = ()  # what is to be told, kept until it is


type CommitResult = Literal["committed", "duplicate", "conflict"]


class Records(Protocol):
    def load(self, key: RecordKey) -> Stored:
        """The record and its enrolments, consistently; a record never seen has version 0."""

    def many(self, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Record]: ...

    def commit(self, commit: Commit) -> CommitResult:
        """`duplicate`: this change was applied before. `conflict`: record or runs have moved; read again."""

    def applied(self, key: RecordKey, change: str) -> Applied | None: ...

    def history(self, key: RecordKey, cursor: str | None = None) -> Page[Applied]:
        """The changes of a record, newest first."""

    def people(self, group: str, value: str) -> Sequence[str]:
        """Ids of the users in a group: `role` or `department`."""

    def owned(
        self,
        object_name: str,
        user: str,
        cursor: str | None = None,
        *,
        closed: bool = False,
        latest_first: bool = False,
    ) -> Page[Record]:
        """The open records of an object that belong to a user, or its `closed` follow-ups, by their order (see
        Filing)."""

    def count_owned(self, object_name: str, user: str, limit: int) -> int:
        """How many those are, counted up to a limit; what changed a moment ago may be missing."""

    def follow_ups(self, key: RecordKey, cursor: str | None = None) -> Page[Record]:
        """The tasks, events and sales records about a record, newest first."""

    def rotation(self, name: str) -> Rotation:
        """As stored; one that never was has revision 0."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One change that a source is still to be told of; `version` is the record's after it."""

    key: RecordKey
    source: str
    version: int
    change: str


class Outbox(Protocol):
    """What sources are still to be told, per record and source in the order of the record's versions."""

    def waiting(self, key: RecordKey, source: str, limit: int) -> Sequence[Letter]:
        """Oldest first; everything committed by now is seen."""

    def done(self, letter: Letter) -> None:
        """Take it out: it was told, or given up. Taking it out twice is harmless."""

    def put_back(self, letter: Letter) -> None:
        """Queue again what was given up, in its old place."""

    def told_late(self, key: RecordKey, echo: Echo) -> None:
        """Remember, until it is past its time, what a source is told late, so that the record is loaded with it."""


class Teller(Protocol):
    """The queue of write-backs: in order per record and source, tried again for days."""

    def tell(self, tell: Tell, again: str = "") -> None:
        """Telling twice is harmless, and may count once; unless `again` names another occasion.

        Raises RecordBusy where the queue cannot be reached."""


class Runs(Protocol):
    def get(self, run: str) -> Run | None: ...

    def save(self, run: Run, enrolment: Enrolment | None) -> bool:
        """Store a run whose revision was raised by one, and `open` and `due_at` of its record's enrolment if that still
        is this run's (its `starts` stay as stored).

        False where the run has moved meanwhile."""

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Run]:
        """Newest first."""

    def of_definition(self, definition: str, cursor: str | None = None) -> Page[Run]:
        """Newest first."""

    def open_of(self, definition: str, cursor: str | None = None) -> Page[str]:
        """Ids of the open runs of a scenario."""


class Scheduler(Protocol):
    """Runs sleep here. Starting or stopping twice is harmless."""

    def start(self, wake: Wake) -> None: ...

    def stop(self, halt: Halt) -> None: ...


class ChangeQueue(Protocol):
    def send(self, changes: Sequence[Change]) -> None:
        """Queue changes in order per record; QueueUnavailable unless all of them were taken."""

    def command(self, command: Command) -> None: ...


@dataclass(frozen=True, slots=True)
class Command:
    """Work on many runs that is carried on by the queue: `cancel`, `pause` or `resume` the open runs of a scenario."""

    verb: Literal["cancel", "pause", "resume"]
    definition: str
    id: str
    cursor: str | None = None


# --- deliveries --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guard:
    """What must still be true at the instant an effect is recorded: the run is open, the record unmoved."""

    run: str
    key: RecordKey
    version: int


class RunMoved(Exception):
    """Between looking and recording the run or its record changed: look again."""


class Deliveries(Protocol):
    def reserve(self, delivery: Delivery, guard: Guard | None) -> Delivery | None:
        """Record a new delivery before it is made. None when it is ours to send; the stored one where the key exists.

        Raises RunMoved where the guard does not hold."""

    def update(self, delivery: Delivery, *, forward_only: bool = True) -> None:
        """Store a new state; with `forward_only` a state that may not follow the stored one changes nothing."""

    def retry(self, delivery: Delivery, attempts: int) -> bool:
        """Store that one is tried again, or waits for it, after so many attempts. False, and nothing is stored, where
        another attempt has been made since, or its outcome is known by now."""

    def complained(self, key: str, at: datetime, detail: str) -> None:
        """Note that the recipient complained, whatever the state is."""

    def get(self, key: str) -> Delivery | None: ...

    def by_message(self, message_id: str) -> Delivery | None: ...

    def of_run(self, run: str, cursor: str | None = None) -> Page[Delivery]: ...

    def of_record(self, key: RecordKey, cursor: str | None = None) -> Page[Delivery]: ...

    def in_state(
        self,
        state: State,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        *,
        channel: Channel | None = None,
    ) -> Page[Delivery]:
        """Newest first, planned in [since, until). Of one channel, a page may be short though another follows."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with an e-mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Email:
    """One message as it goes to SES. `key` travels as a tag, so that feedback finds the delivery."""

    key: str
    sender: str
    to: str
    subject: str
    text: str
    html: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message; `phone` is E.164."""

    key: str
    phone: str
    text: str
    sender_id: str = ""
    transactional: bool = True


class CalendarFiles(Protocol):
    def __call__(self, invitation: Invitation) -> bytes:
        """An invitation as calendars read it (iCalendar, UTF-8)."""


class Mailer(Protocol):
    def send(self, email: Email) -> str:
        """The provider's message id. Raises DeliveryThrottled, DeliveryUnavailable (nothing sent), DeliveryRejected,
        ChannelMisconfigured, or DeliveryUnknown (the answer was lost)."""


class Texter(Protocol):
    def send(self, sms: Sms) -> str:
        """As Mailer.send."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What an endpoint answered; `retry_after` in seconds where it asked to wait."""

    status: int
    retry_after: int | None = None


class Poster(Protocol):
    """Posts to addresses that operators name, and to none inside the network Stagebell runs in."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """One try, without redirects. Raises DeliveryRejected (the address may not be posted to), DeliveryUnavailable
        (nothing arrived), DeliveryUnknown (it may have arrived)."""


class Functions(Protocol):
    """Functions of the customer's that actions may invoke."""

    def invoke(self, arn: str, payload: Mapping[str, Any], timeout: float) -> Any:
        """The parsed answer. Raises DeliveryThrottled, DeliveryUnavailable (it did not run), DeliveryRejected (it
        raised, or may not be invoked), DeliveryUnknown (no answer in `timeout` seconds: it may have run)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One entry of a user's inbox. `id` is the key of its delivery."""

    id: str
    user: str
    at: datetime
    subject: str
    body: str
    record: RecordKey
    url: str = ""
    run: str = ""
    definition: str = ""
    read_at: datetime | None = None


class Inbox(Protocol):
    def put(self, notice: Notice) -> None:
        """Putting the same notice twice is harmless, and counts once."""

    def notices(self, user: str, cursor: str | None = None, *, unread: bool = False) -> Page[Notice]:
        """Newest first."""

    def unread(self, user: str) -> int: ...

    def get(self, user: str, id: str) -> Notice | None: ...

    def mark_read(self, user: str, id: str, at: datetime) -> Notice | None:
        """The notice as it stands then, None where there is none. Marking twice keeps the first time."""

    def mark_all_read(self, user: str, at: datetime) -> int:
        """How many were unread; those that arrive meanwhile may stay unread."""


class Suppressions(Protocol):
    """Addresses that must not be written to: they bounced for good, complained or unsubscribed. Also webhook
    addresses that answered 410 (channel `webhook`, reason `gone`)."""

    def reason(self, channel: str, address: str) -> str | None: ...

    def add(self, channel: str, address: str, reason: str, at: datetime) -> None: ...

    def remove(self, channel: str, address: str) -> None: ...


class Renderer(Protocol):
    def render(
        self, source: str, variables: Mapping[str, object], *, html: bool, locale: str, zone: ZoneInfo, limit: int = ...
    ) -> str: ...


class Phones(Protocol):
    def __call__(self, text: str, default_region: str | None) -> str | None:
        """E.164, or None where the text is no valid phone number."""


class Secrets(Protocol):
    """Signing secrets, kept elsewhere: of sources, and those that webhooks name."""

    def of_webhook(self, name: str) -> tuple[str, ...]:
        """The active secrets (one or two) of outgoing webhooks; empty where there are none of that name."""

    def rotate_webhook(self, name: str) -> str:
        """As `rotate`, for outgoing webhooks."""

    def of_source(self, source: str, *, fresh: bool = False) -> tuple[str, ...]:
        """The active secrets (one or two); empty where the source has none. `fresh` skips the cache."""

    def rotate(self, source: str) -> str:
        """Make a new secret, keep the newest old one beside it, and return the new one."""


# --- access ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`hash` is that of the secret half; the key itself is shown once and never stored."""

    id: str
    label: str
    role: str
    hash: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    def get(self, id: str) -> ApiKey | None: ...

    def save(self, key: ApiKey) -> None: ...

    def all(self, cursor: str | None = None) -> Page[ApiKey]: ...


@dataclass(frozen=True, slots=True)
class Remembered:
    """The first answer given under an Idempotency-Key; `status` 0 while it is still being made."""

    fingerprint: str
    status: int
    body: str


class Requests(Protocol):
    """Answers by Idempotency-Key, kept for 24 hours."""

    def begin(self, key: str, fingerprint: str) -> Remembered | None:
        """None when the key is new and now ours; else what is remembered under it."""

    def finish(self, key: str, status: int, body: str) -> None: ...

    def forget(self, key: str) -> None: ...
