"""What the commands check definitions with, without any AWS account."""

from zoneinfo import ZoneInfo

from stagebell.adapters.jinja import JinjaRenderer
from stagebell.adapters.public_holidays import public_holidays
from stagebell.services.checks.world import Tools


def offline_tools() -> Tools:
    return Tools(JinjaRenderer(), public_holidays, ZoneInfo("UTC"))
