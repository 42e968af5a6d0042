"""Memberships: the groups a user belongs to, which recipients are looked up by."""

from stagebell.domain.records import Record

type Membership = tuple[str, str]

LONGEST = 256  # characters of a role or department; it is part of an index key


def memberships(record: Record) -> frozenset[Membership]:
    """(`role` or `department`, value) of a user; none for other objects and for inactive or deleted users."""
    fields = record.current
    if record.key.object != "user" or not fields or fields.get("active") is False:
        return frozenset()
    roles = fields.get("roles")
    department = fields.get("department")
    found = [("role", role) for role in roles] if isinstance(roles, list) else []
    if isinstance(department, str):
        found.append(("department", department))
    return frozenset(pair for pair in found if len(pair[1]) <= LONGEST)
