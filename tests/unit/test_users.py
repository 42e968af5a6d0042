"""Users: a zone or locale that cannot be used is mirrored, and said to be none."""

import pytest

from tests.stage import Stage

NOTE = "unknown_zone_or_locale"


@pytest.mark.parametrize(
    ("fields", "note", "why"),
    [
        ({"timezone": "Europe/Berlin", "locale": "de"}, "", "both are known"),
        ({"locale": "de_DE"}, "", "with a region"),
        ({"locale": "zh-Hans-CN"}, "", "with a script"),
        ({"locale": "de_DE.UTF-8"}, "", "as systems write it: its language is understood"),
        ({"timezone": None, "locale": ""}, "", "nothing said, nothing wrong"),
        ({"timezone": "Mars"}, NOTE, "no such zone"),
        ({"timezone": "W. Europe Standard Time"}, NOTE, "a name of another database"),
        ({"locale": "English"}, NOTE, "the name of a language is no code"),
        ({"locale": "?"}, NOTE, "nonsense"),
    ],
)
def test_the_history_notes_a_zone_or_locale_that_is_none_and_nothing_of_the_change_is_lost(fields, note, why):
    stage = Stage()

    applied = stage.post("ada", object="user", type_="created", name="Ada", **fields)

    assert (applied.event, applied.note) == ("created", note), why
    assert applied.after["name"] == "Ada"


def test_what_was_noted_once_is_not_noted_again_until_it_changes():
    stage = Stage()

    notes = [
        stage.post("ada", object="user", timezone="Mars").note,
        stage.post("ada", object="user", timezone="Mars", name="Ada").note,
        stage.post("ada", object="user", timezone="Venus").note,
        stage.post("ada", object="user", timezone="UTC").note,
        stage.post("ada", object="user", type_="deleted").note,
    ]

    assert notes == [NOTE, "", NOTE, "", ""]


def test_other_objects_may_have_fields_of_these_names():
    plant = {"kind": "object", "name": "plant", "fields": {"timezone": {"type": "text"}}}
    stage = Stage(plant)

    assert stage.post("p1", object="plant", timezone="Mars").note == ""
