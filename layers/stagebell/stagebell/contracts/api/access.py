"""API keys and signing secrets as the API shows and takes them."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from stagebell.contracts.api.pages import Page, Shape
from stagebell.contracts.model import Model
from stagebell.ports import access as ports

type RoleName = Literal["viewer", "integrator", "operator", "admin"]


class ApiKey(Shape):
    """An API key, without its secret."""

    id: str = Field(examples=["0f2c8f4e5d0b4f3a"])
    label: str = Field(examples=["ERP integration"])
    role: RoleName
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def from_domain(cls, key: ports.ApiKey) -> Self:
        return cls.model_validate(
            {
                "id": key.id,
                "label": key.label,
                "role": key.role,
                "created_at": key.created_at,
                "revoked_at": key.revoked_at,
            }
        )


class NewApiKey(ApiKey):
    """A new API key; the only answer that ever shows it."""

    key: str | None = Field(description="Shown once; null when the answer is replayed")

    @classmethod
    def made(cls, key: ports.ApiKey, text: str) -> Self:
        return cls(**ApiKey.from_domain(key).model_dump(), key=text)


class ApiKeyPage(Page[ApiKey]):
    """API keys, revoked ones included."""


class CreateKey(Model):
    """Whose key it will be, and what it may do."""

    label: str = Field(min_length=1, max_length=100, examples=["ERP integration"])
    role: RoleName


class SourceSecret(Shape):
    """A source's new signing secret; the one before it stays valid until the next rotation."""

    source: str = Field(examples=["erp"])
    secret: str | None = Field(description="Shown once; null when the answer is replayed", examples=["whsec_…"])


class WebhookSecret(Shape):
    """A new secret of outgoing webhooks; the one before it signs as well until the next rotation."""

    name: str = Field(examples=["billing"])
    secret: str | None = Field(description="Shown once; null when the answer is replayed", examples=["whsec_…"])
