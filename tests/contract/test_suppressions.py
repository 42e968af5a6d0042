from tests.contract.examples import at
from tests.contract.worlds import World


def test_an_address_is_suppressed_until_it_is_removed(world: World) -> None:
    world.suppressions.add("email", "Ada@Example.com", "hard_bounce", at(0))

    found = world.suppressions.reason("email", "ada@example.COM")
    world.suppressions.remove("email", "ADA@example.com")

    assert found == "hard_bounce"
    assert world.suppressions.reason("email", "ada@example.com") is None


def test_the_latest_reason_counts(world: World) -> None:
    world.suppressions.add("email", "ada@example.com", "hard_bounce", at(0))
    world.suppressions.add("email", "ada@example.com", "complaint", at(1))

    assert world.suppressions.reason("email", "ada@example.com") == "complaint"


def test_channels_are_apart(world: World) -> None:
    world.suppressions.add("sms", "+49301234567", "opted_out", at(0))

    assert world.suppressions.reason("sms", "+49301234567") == "opted_out"
    assert world.suppressions.reason("email", "+49301234567") is None


def test_removing_what_is_not_there_is_harmless(world: World) -> None:
    world.suppressions.remove("email", "ada@example.com")

    assert world.suppressions.reason("email", "ada@example.com") is None


def test_an_address_may_be_longer_than_a_key(world: World) -> None:
    world.suppressions.add("email", "ü" * 1_000, "hard_bounce", at(0))

    assert world.suppressions.reason("email", "Ü" * 1_000) == "hard_bounce"
