"""Markdown: the few forms the reference is made of."""

from collections.abc import Iterable, Sequence

GENERATED = "<!-- Written by `stagebell reference`; a test holds it against the code. -->"


def page(title: str, *blocks: str) -> str:
    return "\n\n".join([f"# {title}", GENERATED, *(block.strip("\n") for block in blocks)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def yaml(text: str) -> str:
    return f"```yaml\n{text.strip()}\n```"


def text(lines: str) -> str:
    return f"```text\n{lines.strip()}\n```"


def code(text: str) -> str:
    return f"`{text}`"


def codes(texts: Iterable[str]) -> str:
    return ", ".join(map(code, texts))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
