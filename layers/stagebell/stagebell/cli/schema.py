"""`stagebell schema DIR`: JSON Schemas, with which editors complete and check definitions while they are written."""

import argparse
import json
from pathlib import Path

from stagebell.contracts.schemas import schemas


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the schemas are written")


def run(arguments: argparse.Namespace) -> int:
    arguments.directory.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        file = arguments.directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(file)
    return 0
