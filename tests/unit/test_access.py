"""API keys: what is stored of them, what lets a caller in, and what each role may do."""

from datetime import UTC, datetime

import pytest

from stagebell.adapters.memory.access import MemoryApiKeys
from stagebell.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from stagebell.services import access

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def keys() -> MemoryApiKeys:
    return MemoryApiKeys()


def test_a_new_key_lets_its_bearer_in(keys: MemoryApiKeys) -> None:
    made = access.create(keys, "ERP", "integrator", NOW)

    verified = access.verify(keys, made.text)

    assert verified is not None
    assert (verified.id, verified.label, verified.role) == (made.stored.id, "ERP", "integrator")


def test_only_a_hash_of_the_secret_is_stored(keys: MemoryApiKeys) -> None:
    made = access.create(keys, "ERP", "viewer", NOW)

    secret = made.text.rpartition("_")[2]

    assert secret not in repr(keys.get(made.stored.id))
    assert made.stored.hash == access.hashed(secret)


def test_two_keys_are_never_the_same(keys: MemoryApiKeys) -> None:
    texts = {access.create(keys, "ERP", "viewer", NOW).text for _ in range(20)}

    assert len(texts) == 20


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda text: "", "no key at all"),
        (lambda text: "sbk_", "nothing but the beginning"),
        (lambda text: text[:-1], "a secret cut short"),
        (lambda text: text + "0", "a secret with something added"),
        (lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"), "a wrong secret"),
        (lambda text: text.replace("sbk_", "SBK_"), "another kind of key"),
        (lambda text: "sbk_" + "0" * 16 + text[20:], "a right secret of another key"),
        (lambda text: text + "\n", "a line end"),
        (lambda text: text.upper(), "other letters"),
    ],
)
def test_a_spoiled_key_lets_nobody_in(keys: MemoryApiKeys, spoil, why: str) -> None:
    made = access.create(keys, "ERP", "viewer", NOW)

    assert access.verify(keys, spoil(made.text)) is None, why


def test_a_revoked_key_lets_nobody_in(keys: MemoryApiKeys) -> None:
    made = access.create(keys, "ERP", "viewer", NOW)

    access.revoke(keys, made.stored.id, "another", NOW)

    assert access.verify(keys, made.text) is None


def test_revoking_twice_keeps_the_first_time(keys: MemoryApiKeys) -> None:
    made = access.create(keys, "ERP", "viewer", NOW)

    access.revoke(keys, made.stored.id, "another", NOW)
    access.revoke(keys, made.stored.id, "another", NOW.replace(hour=10))

    stored = keys.get(made.stored.id)
    assert stored is not None
    assert stored.revoked_at == NOW


def test_a_key_cannot_revoke_itself(keys: MemoryApiKeys) -> None:
    made = access.create(keys, "Admin", "admin", NOW)

    with pytest.raises(Conflict):
        access.revoke(keys, made.stored.id, made.stored.id, NOW)


def test_an_unknown_key_cannot_be_revoked(keys: MemoryApiKeys) -> None:
    with pytest.raises(NotFound):
        access.revoke(keys, "0" * 16, "another", NOW)


def test_a_key_with_a_bad_label_and_role_is_refused_with_both_problems(keys: MemoryApiKeys) -> None:
    with pytest.raises(InvalidInput) as refused:
        access.create(keys, " \n", "owner", NOW)

    assert [problem.path for problem in refused.value.problems] == ["label", "role"]
    assert keys.all().items == ()


@pytest.mark.parametrize("needed", access.ROLES)
@pytest.mark.parametrize("role", access.ROLES)
def test_a_role_may_do_what_those_before_it_may(role: access.Role, needed: access.Role) -> None:
    allowed = access.ROLES.index(role) >= access.ROLES.index(needed)

    if allowed:
        access.demand(role, needed)
    else:
        with pytest.raises(Forbidden, match=f"needs the role {needed}"):
            access.demand(role, needed)


def test_an_unknown_role_may_do_nothing() -> None:
    with pytest.raises(Forbidden):
        access.demand("", "viewer")


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"authorization": "Bearer sbk_1"}, "sbk_1"),
        ({"Authorization": "bearer  sbk_1 "}, "sbk_1"),
        ({"authorization": "Basic sbk_1"}, ""),
        ({"authorization": "sbk_1"}, ""),
        ({"authorization": ""}, ""),
        ({}, ""),
    ],
)
def test_the_bearer_token_is_read_from_the_headers(headers: dict[str, str], text: str) -> None:
    assert access.bearer(headers) == text
