"""Keys of the records table: where what belongs to a record is kept."""

from stagebell.adapters.dynamodb_items import key_text
from stagebell.adapters.dynamodb_tables import Expression
from stagebell.adapters.memberships import Membership
from stagebell.domain.changes import RecordKey

MIRROR = "mirror"
LATE = "late#"
NEW = Expression("attribute_not_exists(#pk)")


def mirror_key(key: RecordKey) -> dict[str, str]:
    return {"pk": str(key), "sk": MIRROR}


def unmoved(version: int) -> Expression:
    """Whether a mirror still has the version that was read (0: it was not there)."""
    return Expression("#version = :version", version=version) if version else NEW


def change_key(key: RecordKey, change: str) -> dict[str, str]:
    return {"pk": str(key), "sk": f"~change#{key_text(change)}"}


def outbox_key(key: RecordKey, source: str, version: int) -> dict[str, str]:
    return {"pk": str(key), "sk": f"outbox#{source}#{version:012d}"}


def late_key(key: RecordKey, source: str) -> dict[str, str]:
    """Between enrolments and mirror, so that what was told late is read with them."""
    return {"pk": str(key), "sk": f"{LATE}{source}"}


def about_key(key: RecordKey) -> str:
    """No object's name begins so: it is no key of a record."""
    return f"#follow_up#{key}"


def rotation_key(name: str) -> dict[str, str]:
    return {"pk": f"#rotation#{name}", "sk": "rotation"}


def group_pk(group: Membership) -> str:
    return f"#people#{group[0]}#{group[1]}"
