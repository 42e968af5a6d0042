"""Every function is given the variables it reads, and no others."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stagebell.runtime import actions, wiring
from tests.template.policies import attached

Template = dict[str, Any]

MADE = re.compile(r"(wiring|actions)\.(\w+)\(\)")
SAMPLES = {
    "HISTORY_DAYS": "400",
    "LOGICAL_CLOCK": "",
    "TIME_ZONE": "UTC",
    "WEBHOOK_ADDRESSES": "public",
    "SENDER_ADDRESS": "stagebell@example.com",
}
# The prefixes of secrets are read when a secret is: whose → which.
SECRETS = {
    "ReceiveChangeFunction": {"SECRETS_PREFIX"},
    "WriteBackFunction": {"SECRETS_PREFIX"},
    "CallWebhookFunction": {"WEBHOOK_SECRETS_PREFIX"},
    "ApiFunction": {"SECRETS_PREFIX", "WEBHOOK_SECRETS_PREFIX"},
}


class Eager:
    """Makes at once what is made late otherwise, where a function may ever need it."""

    changes_records = False

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        if self.changes_records or make not in (wiring.scheduler, wiring.teller):
            make()


@pytest.mark.parametrize("folder", sorted(str(app.parent) for app in Path("functions").rglob("app.py")))
def test_a_function_is_given_the_variables_it_reads_and_no_others(
    root: Path,
    written: Template,
    translated: Template,
    functions: dict[str, Template],
    folder: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (name,) = [name for name, function in functions.items() if function["CodeUri"].rstrip("/") == folder]
    given = functions[name]["Environment"]["Variables"].keys()
    monkeypatch.setattr(Eager, "changes_records", "ChangeRecordPolicy" in attached(translated, f"{name}Role"))
    for variable in given:
        monkeypatch.setenv(variable, SAMPLES.get(variable, "sample"))

    asked = _asked(MADE.findall((root / folder / "app.py").read_text()) or [("wiring", "api")], monkeypatch)

    known = {variable for function in functions.values() for variable in function["Environment"]["Variables"]}
    assert (asked & known) | SECRETS.get(name, set()) == set(given)


def _asked(makers: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The variables that are read while everything behind these names in the wiring is made."""
    asked: set[str] = set()
    read = os._Environ.__getitem__

    def noting(environment: Any, name: str) -> Any:
        asked.add(name)
        return read(environment, name)

    monkeypatch.setattr(os._Environ, "__getitem__", noting)
    for module in (wiring, actions):
        monkeypatch.setattr(module, "Late", Eager)
    wiring.reset(keep_clients=True)
    for module_name, name in makers:
        made = getattr({"wiring": wiring, "actions": actions}[module_name], name)()
        for maker in getattr(made, "_makers", {}).values():
            maker()
    wiring.reset(keep_clients=True)
    return asked
