from pathlib import Path

import pytest

from local.deploy import fingerprint_of_sources, without_metric_math


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in ("functions", "layers", "local"):
        (tmp_path / name).mkdir()
    for name in ("template.yaml", "samconfig.toml", "functions/app.py", "layers/Makefile", "local/deploy.py"):
        (tmp_path / name).write_text("one")
    return tmp_path


@pytest.mark.parametrize("name", ["template.yaml", "functions/app.py", "layers/Makefile"])
def test_a_changed_source_is_built_again(sources: Path, name: str) -> None:
    before = fingerprint_of_sources(sources)

    (sources / name).write_text("two")

    assert fingerprint_of_sources(sources) != before


def test_a_renamed_source_is_built_again(sources: Path) -> None:
    before = fingerprint_of_sources(sources)

    (sources / "functions/app.py").rename(sources / "functions/other.py")

    assert fingerprint_of_sources(sources) != before


def test_what_python_and_pip_leave_behind_is_no_source(sources: Path) -> None:
    before = fingerprint_of_sources(sources)

    (sources / "functions/app.pyc").write_text("compiled")
    (sources / "layers/stagebell.egg-info").mkdir()
    (sources / "layers/stagebell.egg-info/PKG-INFO").write_text("x")

    assert fingerprint_of_sources(sources) == before


def test_only_alarms_on_metric_math_are_left_out() -> None:
    math = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": []}}
    plain = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}}

    left = without_metric_math({"Outputs": {}, "Resources": {"Math": math, "Plain": plain, "Bare": {"Type": "X"}}})

    assert left == {"Outputs": {}, "Resources": {"Plain": plain, "Bare": {"Type": "X"}}}
