"""Paths as the commands write them: they mean the same behind every gateway."""

from collections.abc import Callable
from urllib.parse import unquote

import pytest

from stagebell.api.parameters import _plain
from stagebell.cli.client import path_of


@pytest.mark.parametrize(
    "id", ["deal-7", "2024/17", "a?b#c", "50%", "ada@example.com", "ä b", "https://x.example/a?b=c"]
)
@pytest.mark.parametrize(
    "gateway",
    [
        pytest.param(str, id="hands the path on as it is"),
        pytest.param(unquote, id="decodes it once"),
        pytest.param(lambda path: unquote(unquote(path)), id="decodes it twice"),
        pytest.param(lambda path: unquote(path.replace("%25", "%2525")), id="decodes all but percent signs"),
    ],
)
def test_an_id_with_any_character_reaches_the_api(gateway: Callable[[str], str], id: str) -> None:
    parts = gateway(path_of("records", "deal", id, "runs")).split("/")

    assert len(parts) == 6
    assert not set("?#") & set("".join(parts))
    assert _plain(parts[4]) == id
