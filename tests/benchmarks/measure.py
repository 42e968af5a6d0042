"""Measuring: CPU time, and always beside something that tells how fast the machine is just now."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process of its own took: seconds of CPU and, at its peak, bytes of memory."""

    cpu: float
    peak: int


def cpu_of(work: Callable[[], object], rounds: int = 5) -> float:
    """Seconds of CPU that some work takes in this process: the median of several rounds."""
    return median(_once(work) for _ in range(rounds))


def _once(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def child(*words: str, options: Sequence[str] = (), paths: Sequence[Path] = (), **environment: str) -> Spent:
    """Run Python on some words; the last line it prints is what it spent (`told`)."""
    python_path = os.pathsep.join(map(str, paths or (ROOT / "layers" / "stagebell", ROOT)))
    variables = {**os.environ, "PYTHONPATH": python_path, **environment}
    done = subprocess.run(
        [sys.executable, *options, *words], capture_output=True, text=True, env=variables, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return Spent(**json.loads(done.stdout.strip().splitlines()[-1]))


def told() -> str:
    """What this process has spent so far, as `child` reads it."""
    return json.dumps({"cpu": time.process_time(), "peak": _peak()})


def _peak() -> int:
    """Linux counts what the parent held before the fork into ru_maxrss, so the process's own high water mark it is."""
    status = Path("/proc/self/status")
    if not status.exists():
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def medians(rounds: Sequence[Mapping[str, float]], floor: str) -> Mapping[str, tuple[float, float]]:
    """Per name the median of the figures and of their ratios to the floor's figure of the same round."""
    return {name: (median(r[name] for r in rounds), median(r[name] / r[floor] for r in rounds)) for name in rounds[0]}
