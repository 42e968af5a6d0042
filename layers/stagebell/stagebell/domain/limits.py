"""Limits of starting: what ends loops, and keeps the runs of one record few enough to follow."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

DEPTH_LIMIT = 8
RUNS_PER_HOUR = 20
OPEN_RUNS_PER_RECORD = 100
STARTS_PER_CHANGE = 40  # each start is two items of one transaction, which holds 100

type Limit = Literal["depth", "runs_per_hour", "starts_per_change", "open_runs_per_record"]

REFUSALS: Mapping[Limit, Literal["loop_stopped", "too_many_runs"]] = MappingProxyType(
    {
        "depth": "loop_stopped",
        "runs_per_hour": "loop_stopped",
        "starts_per_change": "too_many_runs",
        "open_runs_per_record": "too_many_runs",
    }
)
"""What is said where a limit is reached."""

REACHED: Mapping[str, str] = MappingProxyType(
    {
        "depth": f"{DEPTH_LIMIT} changes have led to each other",
        "runs_per_hour": f"it was started for this record {RUNS_PER_HOUR} times within an hour",
        "starts_per_change": f"the change has started {STARTS_PER_CHANGE} others already",
        "open_runs_per_record": f"the record has {OPEN_RUNS_PER_RECORD} open runs",
    }
)
"""The same for people."""
