"""Definitions as files: a directory of YAML and JSON, and each problem with its file and line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stagebell.cli.failures import NoDefinitions, ProblemsFound
from stagebell.cli.tools import offline_tools
from stagebell.cli.yaml_text import Document, Unreadable, read_documents
from stagebell.domain.errors import Problem
from stagebell.services.check import check_definitions
from stagebell.services.checks.world import Nothing

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Written:
    """One definition in its file."""

    file: Path
    document: Document

    @property
    def data(self) -> Any:
        return self.document.data

    def located(self, problems: Iterable[Problem]) -> Iterator["FileProblem"]:
        """The problems at their lines."""
        return (self.at(self.document.line_of(problem.path), problem) for problem in problems)

    def at(self, line: int, problem: Problem) -> "FileProblem":
        return FileProblem(str(self.file), line, problem.rule, problem.path, problem.message)


@dataclass(frozen=True, slots=True, order=True)
class FileProblem:
    """A problem as it is printed: `deals.yaml:12: known_field: steps[0].to[0].field: deal has no field …`."""

    file: str
    line: int
    rule: str
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.rule, self.path, self.message) if part)


@dataclass(slots=True)
class Library:
    """All definitions of a directory, in the order of files and lines, and what could not be read."""

    definitions: list[Written] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)
    files: int = 0

    @property
    def documents(self) -> Sequence[Any]:
        return [written.data for written in self.definitions]


def read_directory(place: Path) -> Library:
    """Every definition below a directory, or of one file. Raises NoDefinitions where there is none."""
    library = Library()
    for file in _files(place):
        library.files += 1
        _read_file(file, library)
    if not library.definitions and not library.problems:
        raise NoDefinitions(f"there are no definitions in {place}: it needs files ending in {', '.join(SUFFIXES)}")
    return library


def load_valid(place: Path) -> list[dict[str, Any]]:
    """The normalised definitions below a directory. Raises NoDefinitions, and ProblemsFound with every problem."""
    library = read_directory(place)
    checked = check_definitions(library.documents, Nothing(), offline_tools())
    problems = located(library, [result.problems for result in checked])
    if problems:
        raise ProblemsFound(report(library, problems))
    return [dict(result.document or {}) for result in checked]


def located(library: Library, found: Sequence[Iterable[Problem]]) -> list[FileProblem]:
    """The problems of the text, and those found in each definition, as they stand in the files."""
    readable = zip(library.definitions, found, strict=True)
    meant = (p for written, problems in readable if written.data is not None for p in written.located(problems))
    return sorted({*library.problems, *meant})


def report(library: Library, problems: Sequence[FileProblem]) -> list[str]:
    """One line for each problem, and a summary."""
    found = _count(len(problems), "problem") if problems else "no problem"
    summary = f"{_count(len(library.definitions), 'definition')} in {_count(library.files, 'file')}: {found}"
    return [*map(str, problems), summary]


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise NoDefinitions(f"{place} is neither a directory nor a file")
    found = (file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    return sorted(file for file in found if not any(part.startswith(".") for part in file.relative_to(place).parts))


def _read_file(file: Path, library: Library) -> None:
    try:
        for document in read_documents(_text(file)):
            written = Written(file, document)
            library.definitions.append(written)
            library.problems.extend(written.at(line, problem) for line, problem in document.problems)
    except Unreadable as error:
        library.problems.append(FileProblem(str(file), error.line, "syntax", "", error.message))
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        library.problems.append(FileProblem(str(file), line, "encoding", "", "the file is not UTF-8"))


def _text(file: Path) -> str:
    text = file.read_text(encoding="utf-8-sig")
    # JSON may be indented with tabs, which YAML refuses; inside JSON's strings a tab cannot stand
    return text.replace("\t", " ") if file.suffix.lower() == ".json" else text
