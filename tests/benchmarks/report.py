"""Figures of a benchmark run: collected by topic, printed, and kept in the generated part of docs/performance.md."""

import os
import platform
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end -->"
_TOPIC = re.compile(r"^## (.+?)\n\n(.+?)\n(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_HEAD = "| what | figure | beside | aim |\n|---|---:|---:|---:|"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table; `beside` says what it is beside a floor or a peer, `aim` what it should be."""

    what: str
    value: str
    beside: str = ""
    aim: str = ""

    def __str__(self) -> str:
        return f"| {self.what} | {self.value} | {self.beside} | {self.aim} |"


class Figures:
    def __init__(self) -> None:
        self._topics: dict[str, list[Figure]] = defaultdict(list)
        self._notes: dict[str, str] = {}

    def add(self, topic: str, what: str, value: str, *, beside: str = "", aim: str = "") -> None:
        self._topics[topic].append(Figure(what, value, beside, aim))

    def explain(self, topic: str, note: str) -> None:
        """What was measured against what; stands under the topic's heading."""
        self._notes[topic] = note

    def text(self) -> str:
        return "\n".join(f"## {topic}\n\n{body}" for topic, body in self._bodies().items())

    def write(self, document: Path) -> None:
        """Replace the topics of this run; those that were not measured keep the figures they had."""
        before, _, rest = document.read_text().partition(BEGIN)
        kept, _, after = rest.partition(END)
        bodies = {**dict(_TOPIC.findall(kept)), **self._bodies()}
        topics = "\n".join(f"## {topic}\n\n{body.rstrip()}\n" for topic, body in sorted(bodies.items()))
        document.write_text(f"{before}{BEGIN}\n\n{topics}\n{END}{after}")

    def _bodies(self) -> dict[str, str]:
        return {topic: self._body(topic) for topic in sorted(self._topics)}

    def _body(self, topic: str) -> str:
        lines = [
            self._notes.get(topic, ""),
            "",
            _HEAD,
            *map(str, self._topics[topic]),
            "",
            f"Measured on {machine()}.",
            "",
        ]
        return "\n".join(lines).lstrip()


def machine() -> str:
    """The machine and interpreter, as far as they tell what a figure means."""
    information = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", information.read_text()) if information.exists() else None
    name = found[1].strip() if found else platform.machine()
    return f"{os.cpu_count()} CPUs, {name}, Python {platform.python_version()}"
