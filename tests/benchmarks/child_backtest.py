"""Run in a process of its own: one backtest, or as its floor the reading of the same file with json alone."""

import gzip
import json
import sys
from pathlib import Path

from tests.benchmarks.measure import told


def parse(file: str) -> None:
    with gzip.open(file) if file.endswith(".gz") else Path(file).open("rb") as lines:
        for line in lines:
            json.loads(line)


def backtest(folder: str, file: str, firings: str) -> None:
    from stagebell.cli.main import main

    assert main(["backtest", folder, "--changes", file, "--firings", firings]) == 0


if __name__ == "__main__":
    {"parse": parse, "backtest": backtest}[sys.argv[1]](*sys.argv[2:])
    print(told())
