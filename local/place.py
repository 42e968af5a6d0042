"""Where the local stack lives: its port, folders and credentials. Nothing here is secret or leaves this machine."""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 4599
REGION = "eu-central-1"
STACK = "stagebell"
SENDER = "stagebell@example.com"


class LocalStackError(Exception):
    """The local stack cannot start or go on; the text says what to do."""


@dataclass(frozen=True)
class Place:
    """`home` is the folder of everything that changes while it runs; `.local` unless STAGEBELL_FOLDER names one."""

    port: int
    root: Path = ROOT
    home: Path | None = None

    @classmethod
    def from_environment(cls) -> "Place":
        text = os.environ.get("STAGEBELL_PORT", str(DEFAULT_PORT))
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise LocalStackError(f"STAGEBELL_PORT must be a port number, not {text!r}.")
        home = os.environ.get("STAGEBELL_FOLDER")
        return cls(int(text), home=Path(home).resolve() if home else None)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def folder(self) -> Path:
        return self.home or self.root / ".local"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def log(self) -> Path:
        return self.folder / "emulator.log"

    @property
    def process(self) -> Path:
        """The emulator's process id and port, while it runs."""
        return self.folder / "emulator.json"

    @property
    def deployed(self) -> Path:
        """What was deployed last: a fingerprint of the sources, and the parameters."""
        return self.state / "deployed"

    @property
    def clock(self) -> Path:
        """The clock that runs faster than real time, as the template's parameter LogicalClock."""
        return self.state / "clock"

    @property
    def seeded(self) -> Path:
        """The key and the secret this stack was given, and what was replayed."""
        return self.state / "seeded.json"

    @property
    def built(self) -> Path:
        """A fingerprint of the sources built last; a build by hand removes it."""
        return self.build / "sources"

    @property
    def build(self) -> Path:
        return self.root / ".aws-sam" / "build"

    @property
    def emulator_python(self) -> Path:
        return self.root / ".venv-local" / "bin" / "python"

    def aws_environment(self) -> dict[str, str]:
        """For the SAM CLI and boto3: the emulator, with credentials that open nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }
