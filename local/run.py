"""`make run`: the whole stack on this machine, with real changes going through it."""

import importlib
import importlib.util
import sys
import time
from types import ModuleType

from local.deploy import deploy
from local.place import LocalStackError, Place
from local.stack import Stack
from local.start import start


def main() -> int:
    try:
        run(Place.from_environment())
    except LocalStackError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def run(place: Place) -> None:
    began = time.monotonic()
    place.folder.mkdir(exist_ok=True)
    started = start(place)
    print(f"{'Started' if started else 'Found'} the emulator on {place.endpoint}")
    seed = _seed()
    stack = deploy(place, seed.parameters(place) if seed else {})
    print(f"Deployed in {time.monotonic() - began:.0f} s; the API is {stack.api_url}")
    if seed:
        seed.main(stack)
    _say_what_next(stack)


def _seed() -> ModuleType | None:
    """`local/seed.py`: `parameters(place)` says which template parameters it wants, `main(stack)` fills the stack."""
    return importlib.import_module("local.seed") if importlib.util.find_spec("local.seed") else None


def _say_what_next(stack: Stack) -> None:
    print(f"E-mails sent: {stack.emails_url}")
    print(f"SMS sent:     {stack.sms_url}")
    print("make stop ends it; what it holds is kept.")


if __name__ == "__main__":
    sys.exit(main())
