"""Ends the emulator that `make run` started. Its state stays for the next time."""

import os
import signal
import sys

from local.place import LocalStackError, Place
from local.start import running_emulator
from local.waiting import until

STOP_SECONDS = 30


def stop(place: Place) -> bool:
    """True if the emulator ran. It writes its state before it ends."""
    running = running_emulator(place)
    if running is None:
        return False
    os.kill(running.pid, signal.SIGTERM)
    until(lambda: running_emulator(place) is None, "The end of the emulator", seconds=STOP_SECONDS)
    place.process.unlink(missing_ok=True)
    return True


def main() -> int:
    try:
        stopped = stop(Place.from_environment())
    except LocalStackError as problem:
        print(problem, file=sys.stderr)
        return 1
    print("Stopped." if stopped else "Nothing was running.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
