"""Orders: what is to be done once a change is stored. Each may be given twice, and is carried out once."""

from dataclasses import dataclass
from datetime import datetime

from stagebell.domain.changes import RecordKey


@dataclass(frozen=True, slots=True)
class Wake:
    """Start execution `execution` of a run: act on `step` (of action kind `kind`) at `at`. `express`: in the workflow
    machine, which does not wait."""

    run: str
    execution: int
    step: str
    kind: str
    at: datetime
    express: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop execution `execution` of a run, if it still goes."""

    run: str
    execution: int
    reason: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell a source what was changed here: everything about this record that it has not been told yet."""

    key: RecordKey
    source: str
    version: int  # of the record after the change that is to be told


type Order = Wake | Halt | Tell
