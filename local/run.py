"""`make run`: the whole stack on this machine, with real changes going through it."""

import sys
import time

from local import seed
from local.deploy import deploy
from local.place import LocalStackError, Place
from local.stack import Stack
from local.start import start
from local.wake import wake_sleepers


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
    stack = deploy(place, seed.parameters(place))
    print(f"Deployed in {time.monotonic() - began:.0f} s; the API is {stack.api_url}")
    if started and (woken := wake_sleepers(stack)):
        print(f"Woke {woken} runs that waited when the emulator was stopped")
    seed.main(stack)
    _say_what_next(stack)


def _say_what_next(stack: Stack) -> None:
    print(f"E-mails sent: {stack.emails_url}")
    print(f"SMS sent:     {stack.sms_url}")
    print("make stop ends it; what it holds is kept.")


if __name__ == "__main__":
    sys.exit(main())
