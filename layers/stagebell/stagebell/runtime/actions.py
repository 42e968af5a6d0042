"""Actions: the fourteen kinds, each with the ports it works with, made when its function first asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stagebell.runtime import settings, wiring
from stagebell.runtime.wiring import Late, once

if TYPE_CHECKING:
    from stagebell.domain.invitations import Invitation
    from stagebell.ports.messages import Renderer
    from stagebell.services.action import Action
    from stagebell.services.compose import Composer
    from stagebell.services.make import Maker
    from stagebell.services.people import Directories
    from stagebell.services.sight import Sights


@once
def _renderer() -> Renderer:
    from stagebell.adapters.jinja import JinjaRenderer

    return JinjaRenderer()


@once
def _composer() -> Composer:
    """Templates are loaded by the first text that is one."""
    from stagebell.services.compose import Composer

    return Composer(wiring.catalog(), Late(_renderer))


@once
def _directories() -> Directories:
    from stagebell.services.people import Directories

    return Directories(wiring.catalog(), wiring.records())


@once
def _maker() -> Maker:
    from stagebell.services.make import Maker

    return Maker(_composer(), _directories())


@once
def _sights() -> Sights:
    from stagebell.services.sight import Sights

    return Sights(wiring.catalog(), wiring.records(), _composer())


@once
def send_email() -> Action:
    from stagebell.adapters.ses import SesMailer
    from stagebell.services.invite import Inviter
    from stagebell.services.send_email import SendEmail

    mail = settings.MailSettings.read()
    mailer = SesMailer(wiring.sending_client("sesv2"), mail.configuration_set)
    inviter = Inviter(_composer(), wiring.records(), _calendar_file, mail.sender)
    return SendEmail(
        composer=_composer(),
        courier=wiring.courier(),
        mailer=mailer,
        suppressions=wiring.suppressions(),
        directories=_directories(),
        sender=mail.sender,
        inviter=inviter,
    )


def _calendar_file(invitation: Invitation) -> bytes:
    from stagebell.adapters.invitation_files import calendar_file

    return calendar_file(invitation)


@once
def send_sms() -> Action:
    from stagebell.adapters.phone import e164
    from stagebell.adapters.sns import SnsTexter
    from stagebell.services.send_sms import SendSms

    sms = settings.SmsSettings.read()
    return SendSms(
        composer=_composer(),
        courier=wiring.courier(),
        texter=SnsTexter(wiring.sending_client("sns")),
        suppressions=wiring.suppressions(),
        directories=_directories(),
        phones=e164,
        sender_id=sms.sender_id,
        region=sms.region or "",
    )


@once
def notify() -> Action:
    """Mail and text messages are loaded by the first notice that asks for them."""
    from stagebell.services.notify import Notify

    carriers = Late(send_email), Late(send_sms)
    return Notify(_composer(), wiring.courier(), wiring.inbox(), _directories(), *carriers)


@once
def create_task() -> Action:
    from stagebell.services.create_task import CreateTask

    return CreateTask(_maker())


@once
def create_event() -> Action:
    from stagebell.services.create_event import CreateEvent

    return CreateEvent(_maker())


@once
def create_sales_record() -> Action:
    from stagebell.services.create_sales_record import CreateSalesRecord

    return CreateSalesRecord(_maker())


@once
def update_field() -> Action:
    from stagebell.services.update_field import UpdateField

    return UpdateField(_sights(), wiring.records())


@once
def set_stage() -> Action:
    from stagebell.services.set_stage import SetStage

    return SetStage(wiring.catalog())


@once
def assign_owner() -> Action:
    from stagebell.services.assign_owner import AssignOwner

    return AssignOwner(wiring.catalog(), wiring.records(), _directories())


@once
def lock_record() -> Action:
    from stagebell.services.lock_record import LockRecord

    return LockRecord(_sights())


@once
def unlock_record() -> Action:
    from stagebell.services.unlock_record import UnlockRecord

    return UnlockRecord(_sights())


@once
def start_process() -> Action:
    from stagebell.services.start_process import StartProcess

    return StartProcess(wiring.applier())


@once
def call_webhook() -> Action:
    from stagebell.services.call_webhook import CallWebhook
    from stagebell.services.webhooks import Webhooks

    webhooks = Webhooks(wiring.poster(), wiring.clock())
    return CallWebhook(_sights(), wiring.courier(), webhooks, wiring.secrets(), wiring.suppressions())


@once
def run_function() -> Action:
    from stagebell.services.run_function import RunFunction

    return RunFunction(_sights(), wiring.courier(), wiring.functions())
