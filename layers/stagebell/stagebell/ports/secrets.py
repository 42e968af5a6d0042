"""Signing secrets."""

from typing import Protocol


class Secrets(Protocol):
    """Signing secrets, kept elsewhere: of sources, and those that webhooks name."""

    def of_webhook(self, name: str) -> tuple[str, ...]:
        """The active secrets (one or two) of outgoing webhooks; empty where there are none of that name."""

    def rotate_webhook(self, name: str) -> str:
        """As `rotate`, for outgoing webhooks."""

    def of_source(self, source: str, *, fresh: bool = False) -> tuple[str, ...]:
        """The active secrets (one or two); empty where the source has none. `fresh` skips the cache."""

    def rotate(self, source: str) -> str:
        """Make a new secret, keep the newest old one beside it, and return the new one."""
