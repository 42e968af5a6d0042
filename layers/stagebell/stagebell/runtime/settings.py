"""Settings: what the environment says, one class per concern. Nothing else reads the environment.

Each class is read when it is first needed, and only by the functions that have its variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stagebell.domain.errors import InvalidValue, StagebellError
from stagebell.ports.clock import Clock

type Environment = Mapping[str, str]


class SettingWrong(StagebellError):
    """An environment variable is missing or not usable; the message names it and what belongs there."""

    code: ClassVar[str] = "setting_wrong"


@dataclass(frozen=True, slots=True)
class TableSettings:
    """Names of the tables. A function is told only those it works with, so each is read when it is asked for."""

    environment: Environment = field(default_factory=lambda: os.environ, repr=False)

    @property
    def definitions(self) -> str:
        return self._name("DEFINITIONS_TABLE")

    @property
    def records(self) -> str:
        return self._name("RECORDS_TABLE")

    @property
    def runs(self) -> str:
        return self._name("RUNS_TABLE")

    @property
    def deliveries(self) -> str:
        return self._name("DELIVERIES_TABLE")

    @property
    def people(self) -> str:
        return self._name("PEOPLE_TABLE")

    @property
    def access(self) -> str:
        return self._name("ACCESS_TABLE")

    def _name(self, variable: str) -> str:
        kind = variable.removesuffix("_TABLE").lower()
        return _required(self.environment, variable, f"the name of the DynamoDB table of {kind}")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    url: str

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        return cls(_required(environment, "CHANGES_QUEUE_URL", "the URL of the changes queue (SQS FIFO)"))


@dataclass(frozen=True, slots=True)
class WriteBackSettings:
    url: str

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        return cls(_required(environment, "WRITE_BACKS_QUEUE_URL", "the URL of the write-backs queue (SQS FIFO)"))


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """`function_prefix` is the stack's name, with which the names of the action functions begin."""

    arn: str
    workflow_arn: str
    function_prefix: str

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        return cls(
            _required(environment, "SCENARIO_MACHINE_ARN", "the ARN of the scenario state machine"),
            _required(environment, "WORKFLOW_MACHINE_ARN", "the ARN of the workflow state machine"),
            function_prefix(environment),
        )


def function_prefix(environment: Environment = os.environ) -> str:
    return _required(environment, "FUNCTION_PREFIX", "the name of the stack")


@dataclass(frozen=True, slots=True)
class SecretSettings:
    """How the names of secrets begin; each ends with `/`. A function is told only of those that it reads."""

    environment: Environment = field(default_factory=lambda: os.environ, repr=False)

    @property
    def sources(self) -> str:
        return _required(self.environment, "SECRETS_PREFIX", "the beginning of the secrets' names, <stack>/sources/")

    @property
    def webhooks(self) -> str:
        what = "the beginning of the webhook secrets' names, <stack>/webhooks/"
        return _required(self.environment, "WEBHOOK_SECRETS_PREFIX", what)


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where webhooks may go: `any_address` is for a stack on one's own machine."""

    any_address: bool

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        word = environment.get("WEBHOOK_ADDRESSES") or "public"
        if word not in ("public", "any"):
            raise SettingWrong(f"WEBHOOK_ADDRESSES is '{word}': set it to public, or to any on your own machine")
        return cls(word == "any")


@dataclass(frozen=True, slots=True)
class MailSettings:
    sender: str
    configuration_set: str

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        sender = _required(environment, "SENDER_ADDRESS", "the verified address that e-mails come from")
        return cls(sender, environment.get("CONFIGURATION_SET", ""))


@dataclass(frozen=True, slots=True)
class SmsSettings:
    """`sender_id` may be empty; `region` is the country (ISO 3166) of numbers without a country code, or None."""

    sender_id: str
    region: str | None

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        return cls(environment.get("SMS_SENDER_ID", ""), environment.get("PHONE_REGION") or None)


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """The clock: real time, or a faster one on a single machine."""

    clock: Clock

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        from stagebell.adapters.clocks import clock_from

        try:
            return cls(clock_from(environment.get("LOGICAL_CLOCK", "")))
        except InvalidValue as error:
            raise SettingWrong(f"LOGICAL_CLOCK: {error.message}; leave it empty in AWS") from error


@dataclass(frozen=True, slots=True)
class ZoneSettings:
    """The time zone of definitions and owners that name none."""

    zone: ZoneInfo

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        name = environment.get("TIME_ZONE") or "UTC"
        try:
            return cls(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            hint = "set it to an IANA time zone such as Europe/Berlin"
            raise SettingWrong(f"TIME_ZONE is '{name}', which no time zone is called: {hint}") from error


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """For how many days changes, ended runs and deliveries are kept."""

    days: int

    @classmethod
    def read(cls, environment: Environment = os.environ) -> Self:
        text = _required(environment, "HISTORY_DAYS", "the days that history is kept, such as 400")
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 36_500):
            raise SettingWrong(f"HISTORY_DAYS is '{text}': set it to a whole number of days from 1 to 36500")
        return cls(int(text))


def _required(environment: Environment, variable: str, what: str) -> str:
    value = environment.get(variable, "")
    if not value:
        raise SettingWrong(f"the environment variable {variable} is not set: set it to {what}")
    return value
