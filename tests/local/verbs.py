"""The verbs `make run` and `make stop`, as a shell would call them."""

import os
import subprocess
import sys

from local.place import ROOT, Place

type Done = subprocess.CompletedProcess[str]


def run(place: Place, **environment: str) -> Done:
    return _python(place, "local.run", seconds=240, **environment)


def stop(place: Place) -> Done:
    return _python(place, "local.stop", seconds=60)


def _python(place: Place, module: str, *, seconds: float, **environment: str) -> Done:
    own = {"STAGEBELL_PORT": str(place.port), "STAGEBELL_FOLDER": str(place.folder), "REPLAY": ""}
    return subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, **own, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
