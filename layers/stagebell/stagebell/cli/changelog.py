"""Reading a change log for a backtest: one change a line (JSON Lines, .gz allowed), oldest first."""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from stagebell.domain.changes import Change, ChangeReader
from stagebell.domain.errors import InvalidInput, MalformedBody, Problem
from stagebell.domain.objects import Schema
from stagebell.services.receive import parse_json

LINE_LIMIT = 1 << 20
_OTHER_NAMES = {"event": "type", "seq": "sequence"}  # as process logs call them
_LEFT_OUT = ("changed", "meta")  # Stagebell compares by itself
_NO_END = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """A file of changes. `read` yields each with the share of the file read so far (0 to 1)."""

    path: Path

    def read(self, schema: Schema) -> Iterator[tuple[Change, float]]:
        """Raises InvalidInput with every problem of the first line that has any, named as `line 7: fields.amount`."""
        size = self.path.stat().st_size or 1
        with self.path.open("rb") as raw:
            for number, line in enumerate(_lines(raw, zipped=self.path.suffix == ".gz"), start=1):
                if line.strip():
                    yield self._change(line, number, schema), min(raw.tell() / size, 1.0)

    def _change(self, line: bytes, number: int, schema: Schema) -> Change:
        reader = ChangeReader("log", schema, _NO_END)
        change = reader.read(_native(_parsed(line, number)), default_id=f"{number:012d}")
        if change is None:
            raise InvalidInput([Problem(f"line {number}: {p.path}", p.rule, p.message) for p in reader.problems])
        return change


def _lines(raw: IO[bytes], *, zipped: bool) -> Iterator[bytes]:
    source: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
    while line := source.readline(LINE_LIMIT):
        yield line


def _parsed(line: bytes, number: int) -> object:
    try:
        return parse_json(line)
    except MalformedBody as error:
        raise InvalidInput([Problem(f"line {number}", "json", error.message)]) from error


def _native(document: object) -> object:
    if not isinstance(document, Mapping):
        return document
    return {_OTHER_NAMES.get(key, key): value for key, value in document.items() if key not in _LEFT_OUT}
