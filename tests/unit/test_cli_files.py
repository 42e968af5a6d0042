"""The command line: definitions as files, their problems, and what is sent to the API."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from stagebell.cli.files import read_directory
from stagebell.cli.main import COMMANDS, main
from stagebell.cli.yaml_text import NODE_LIMIT, Unreadable, read_documents
from stagebell.contracts.schemas import COMBINED, schemas

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SCHEMAS = ROOT / "docs" / "reference" / "schemas"
CALENDAR = "kind: calendar\nname: office\n"


def data(text: str) -> Any:
    return next(read_documents(text)).data


# --- text ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("on", "on"),  # YAML 1.1 made booleans of these
        ("No", "No"),
        ("yes", "yes"),
        ("22:00", "22:00"),  # and the number 1320 of this
        ("2026-12-24", "2026-12-24"),  # and a date of this
        ("0301234", "0301234"),  # a phone number keeps its zero
        ("0x1F", "0x1F"),
        ("+49 30 1", "+49 30 1"),
        (".inf", ".inf"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("42", 42),
        ("-7", -7),
        ("1000.10", Decimal("1000.10")),
        ("1e3", Decimal("1E+3")),
        ("'42'", "42"),
        ("!!str 42", "42"),
        ('"\\ud83d\\ude00"', "\U0001f600"),  # as JSON writes it
        ("9" * 5_000, "9" * 5_000),
    ],
)
def test_a_scalar_is_read_as_yaml_1_2_reads_it(written: str, read: object) -> None:
    found = data(f"key: {written}\n")["key"]

    assert found == read
    assert type(found) is type(read)


def test_keys_that_yaml_1_1_took_for_booleans_are_text() -> None:
    assert data("trigger: {on: created, no: 1}") == {"trigger": {"on": "created", "no": 1}}


def test_every_part_knows_its_line() -> None:
    document = next(read_documents("kind: scenario\nsteps:\n  - name: a\n    at:\n      after: x\n  - {name: b}\n"))

    assert document.line_of("steps[0].at.after") == 5
    assert document.line_of("steps[1].name") == 6
    assert document.line_of("steps[1].at.after") == 6, "a missing part: the nearest one around it"
    assert document.line_of("nowhere") == 1


def test_anchors_may_be_used_and_lines_follow_them() -> None:
    document = next(read_documents("a: &x\n  - 1\nb: *x\n"))

    assert document.data == {"a": [1], "b": [1]}
    assert document.problems == ()


def test_an_anchor_that_explodes_is_a_problem_not_a_hang() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    document = next(read_documents("\n".join(lines)))

    assert [(line, p.rule) for line, p in document.problems] == [(1, "too_large")]
    assert f"{NODE_LIMIT:,}" in document.problems[0][1].message


def test_an_anchor_that_holds_itself_is_a_problem() -> None:
    document = next(read_documents("a: &a\n  - *a\n"))

    assert [(line, p.rule) for line, p in document.problems] == [(1, "anchor")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1,\n", 3),  # not closed
        ("a: 1\n\tb: 2\n", 2),  # a tab
        ("a: 1\nb: *c\n", 2),  # an anchor that is not there
        ("a: 'x\x07'\n", 1),  # a character that may not stand there
        ("[" * 1_500, 1),  # nested without end
        ("x" * 2_000_001, 1),  # larger than any definition
    ],
)
def test_text_that_is_no_yaml_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(Unreadable) as unreadable:
        list(read_documents(text))

    assert unreadable.value.line == line


# --- files -------------------------------------------------------------------------------------------------------


def test_a_directory_is_read_in_order_with_all_its_documents(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b.yml").write_text("name: b\n---\n---\nname: c\n")
    (tmp_path / "a.json").write_text('{\n\t"name": "a",\n\t"n": 1.10\n}')
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "d.yaml").write_text("name: d")

    library = read_directory(tmp_path)

    assert library.documents == [{"name": "a", "n": Decimal("1.10")}, {"name": "b"}, {"name": "c"}]
    assert (library.files, library.problems) == (2, [])
    assert library.definitions[0].document.line_of("n") == 3


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"name: a\nlabel: \xff\n")
    (tmp_path / "b.yaml").write_text("name: b\n---\n]\n")

    library = read_directory(tmp_path)

    assert library.documents == [{"name": "b"}]
    assert [(Path(p.file).name, p.line, p.rule) for p in library.problems] == [
        ("a.yaml", 2, "encoding"),
        ("b.yaml", 3, "syntax"),
    ]


# --- commands ----------------------------------------------------------------------------------------------------


def test_validate_is_silent_about_nothing_and_answers_zero(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["validate", str(EXAMPLES / "incidents")])

    assert (code, capsys.readouterr().out) == (0, "15 definitions in 3 files: no problem\n")


def test_validate_names_file_line_rule_and_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "office.yaml"
    file.write_text(f"{CALENDAR}timezone: Berlin\n")

    code = main(["validate", str(tmp_path)])

    first, summary = capsys.readouterr().out.splitlines()
    assert code == 1
    assert first.startswith(f"{file}:3: timezone: timezone: 'Berlin' is not a time zone")
    assert summary == "1 definition in 1 file: 1 problem"


def test_validate_warns_of_a_loop_and_answers_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deal.yaml").write_text(
        "kind: object\nname: deal\nfields: {rounds: {type: integer}}\n---\n"
        "kind: workflow\nname: count\nobject: deal\ntrigger: {on: updated}\n"
        "actions: [{name: more, type: update_field, set: {rounds: {add: 1}}}]\n"
    )

    code = main(["validate", str(tmp_path)])

    warning, summary = capsys.readouterr().out.splitlines()
    assert code == 0
    assert warning.startswith("warning: count (step more) writes deal.rounds, which starts count again: ")
    assert summary == "2 definitions in 1 file: no problem"


@pytest.mark.parametrize("command", ["validate", "diff", "apply"])
def test_a_directory_without_definitions_is_a_mistake(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api = [] if command == "validate" else ["--url", "http://127.0.0.1:9", "--key", "k"]

    assert main([command, str(tmp_path), *api]) == 2
    assert capsys.readouterr().err.startswith(f"stagebell {command}: there are no definitions in")


def test_without_a_command_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("words", [["nonsense"], ["validate"], ["validate", "a", "--nope"]])
def test_a_command_line_that_is_none_is_a_mistake(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)

    assert stopped.value.code == 2
    assert "usage: stagebell" in capsys.readouterr().err


def test_the_published_schemas_are_those_of_the_models(tmp_path: Path) -> None:
    main(["schema", str(tmp_path)])

    assert texts_in(tmp_path) == texts_in(SCHEMAS), "run `stagebell schema docs/reference/schemas`"


def texts_in(place: Path) -> dict[str, str]:
    return {str(file.relative_to(place)): file.read_text() for file in place.rglob("*.json")}


@pytest.mark.parametrize("name", ["deals", "incidents", "loans", "projects", "work_orders"])
def test_the_examples_fit_the_published_schema(name: str) -> None:
    validator = jsonschema.Draft202012Validator(schemas()[COMBINED])

    for document in read_directory(EXAMPLES / name).documents:
        assert [e.message for e in validator.iter_errors(json.loads(json.dumps(document, default=float)))] == []


def test_the_schema_refuses_what_the_models_refuse() -> None:
    validator = jsonschema.Draft202012Validator(schemas()[COMBINED])
    good = {"kind": "calendar", "name": "office"}

    assert validator.is_valid(good)
    for wrong in ({"kind": "x"}, {"kind": "calendar"}, good | {"nme": 1}, good | {"name": "a b"}, good | {"dates": 1}):
        assert not validator.is_valid(wrong)


# --- the API -----------------------------------------------------------------------------------------------------


class Api(ThreadingHTTPServer):
    """Answers as told and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, Any]] = []
        self.headers: list[Any] = []
        self.answers: dict[str, tuple[int, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    do_PUT = do_POST

    def _answer(self, body: Any) -> None:
        self.server.asked.append((self.command, self.path, body))
        self.server.headers.append(self.headers)
        status, answer = self.server.answers.get(f"{self.command} {self.path}", (200, {"version": 1}))
        text = json.dumps(answer).encode() if not isinstance(answer, bytes) else answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def office(tmp_path: Path, api: Api) -> list[str]:
    """A directory with one calendar and one template that differ from what is active, and the API's options."""
    (tmp_path / "a.yaml").write_text(
        "kind: template\nname: hello\nchannel: sms\ntext: Hello\n---\n" + CALENDAR + "dates: [2026-12-24]\n"
    )
    api.answers["POST /v1/definitions/validate"] = (200, {"definitions": [{"problems": []}, {"problems": []}]})
    differences = [
        {"kind": "template", "name": "hello", "standing": "added", "version": 0, "lines": []},
        {"kind": "calendar", "name": "office", "standing": "changed", "version": 3, "lines": ["dates: added [x]"]},
        {"kind": "source", "name": "erp", "standing": "not_listed", "version": 1, "lines": []},
    ]
    api.answers["POST /v1/definitions/diff"] = (200, {"differences": differences})
    return [str(tmp_path), "--url", api.url, "--key", "sbk_x"]


def test_diff_shows_the_plan_and_changes_nothing(
    api: Api, office: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["diff", *office])

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "+ template hello",
        "~ calendar office (version 3 is active)",
        "    dates: added [x]",
        "1 to add, 1 to change, 0 unchanged; 1 active beside them stay as they are",
    ]
    assert [(method, path) for method, path, _ in api.asked] == [
        ("POST", "/v1/definitions/validate"),
        ("POST", "/v1/definitions/diff"),
    ]
    assert api.headers[0]["Authorization"] == "Bearer sbk_x"
    assert api.headers[0]["Idempotency-Key"] != api.headers[1]["Idempotency-Key"]


def test_apply_stores_all_and_then_activates_in_the_order_they_build_on_each_other(api: Api, office: list[str]) -> None:
    code = main(["apply", *office, "--yes"])

    assert code == 0
    assert [(method, path) for method, path, _ in api.asked[2:]] == [
        ("PUT", "/v1/definitions/calendar/office"),
        ("PUT", "/v1/definitions/template/hello"),
        ("POST", "/v1/definitions/calendar/office/activate"),
        ("POST", "/v1/definitions/template/hello/activate"),
    ]
    assert api.asked[2][2] == {"kind": "calendar", "name": "office", "dates": ["2026-12-24"]}


@pytest.mark.parametrize("command", [["diff"], ["apply", "--yes"]])
def test_the_plan_warns_of_what_the_set_would_do_to_itself(
    api: Api, office: list[str], capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    _, answer = api.answers["POST /v1/definitions/validate"]
    answer["warnings"] = [{"rule": "cycle", "definitions": ["a"], "message": "a writes deal.x, which starts a again"}]

    code = main([*command, *office])

    assert code == 0
    assert "warning: a writes deal.x, which starts a again\n1 to add, 1 to change" in capsys.readouterr().out


def test_apply_can_store_without_activating(api: Api, office: list[str]) -> None:
    main(["apply", *office, "--yes", "--no-activate"])

    assert [method for method, _, _ in api.asked[2:]] == ["PUT", "PUT"]


def test_apply_asks_and_without_anybody_to_ask_it_refuses(
    api: Api, office: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", *office]) == 2
    assert "--yes" in capsys.readouterr().err
    assert len(api.asked) == 2


@pytest.mark.parametrize(("said", "calls"), [("n", 2), ("", 2), ("Yes", 6)])
def test_apply_does_what_is_answered(
    api: Api, office: list[str], monkeypatch: pytest.MonkeyPatch, said: str, calls: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: said)

    assert main(["apply", *office]) == 0
    assert len(api.asked) == calls


def test_problems_that_the_api_finds_are_shown_in_their_files(
    api: Api, office: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {"path": "dates[0]", "rule": "breaks_active", "message": "active scenario s would break"}
    api.answers["POST /v1/definitions/validate"] = (200, {"definitions": [{"problems": []}, {"problems": [problem]}]})

    code = main(["apply", *office, "--yes"])

    assert code == 1
    assert "a.yaml:8: breaks_active: dates[0]: active scenario s would break" in capsys.readouterr().err
    assert len(api.asked) == 1


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (
            409,
            {"detail": "deal is in use", "problems": [{"path": "name", "message": "taken"}]},
            "deal is in use\n  name",
        ),
        (403, {"message": "Forbidden"}, "the API key is not accepted"),
        (502, b"<html>", "was answered with status 502"),
        (200, b"<html>", "the answer is not JSON"),
        (200, {"other": 1}, "not what this version of the command expects"),
    ],
)
def test_an_answer_that_is_an_error_becomes_plain_words(
    api: Api, office: list[str], capsys: pytest.CaptureFixture[str], status: int, answer: Any, said: str
) -> None:
    api.answers["POST /v1/definitions/diff"] = (status, answer)

    assert main(["diff", *office]) == 2
    assert said in capsys.readouterr().err


def test_a_failure_halfway_says_what_was_done(api: Api, office: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["PUT /v1/definitions/template/hello"] = (503, {"detail": "later"})

    assert main(["apply", *office, "--yes"]) == 2
    shown = capsys.readouterr()
    assert "stored calendar office as version 1" in shown.out
    assert "later\nWhat is listed above was done" in shown.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "STAGEBELL_URL"),
        (["--url", "ftp://x"], "is no address of an API"),
        (["--url", "https://x"], "STAGEBELL_KEY"),
        (["--url", "http://127.0.0.1:1", "--key", "k"], "cannot be reached"),
    ],
)
def test_a_missing_or_wrong_address_is_told(
    tmp_path: Path,
    options: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("STAGEBELL_URL", raising=False)
    monkeypatch.delenv("STAGEBELL_KEY", raising=False)
    (tmp_path / "a.yaml").write_text(CALENDAR)

    assert main(["diff", str(tmp_path), *options]) == 2
    assert said in capsys.readouterr().err


def test_keys_and_secrets_are_shown_once(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["POST /v1/keys"] = (201, {"id": "1", "key": "sbk_1_2"})
    api.answers["POST /v1/sources/erp/secrets"] = (201, {"source": "erp", "secret": "whsec_x"})
    options = ["--url", api.url, "--key", "sbk_x"]

    main(["keys", "create", "ERP", "--role", "integrator", *options])
    main(["secrets", "rotate", "erp", *options])

    assert capsys.readouterr().out == "sbk_1_2\nwhsec_x\n"
    assert api.asked[0] == ("POST", "/v1/keys", {"label": "ERP", "role": "integrator"})


def test_a_webhook_secret_is_shown_once(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers["POST /v1/webhooks/billing/secrets"] = (201, {"name": "billing", "secret": "whsec_y"})

    main(["secrets", "rotate", "billing", "--webhook", "--url", api.url, "--key", "sbk_x"])

    assert capsys.readouterr().out == "whsec_y\n"


def test_keys_are_listed_page_by_page(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    key = {"id": "k1", "role": "admin", "label": "Ada", "revoked_at": None}
    api.answers["GET /v1/keys"] = (200, {"items": [key], "cursor": "a b"})
    api.answers["GET /v1/keys?cursor=a%20b"] = (200, {"items": [{**key, "id": "k2"}], "cursor": None})

    main(["keys", "list", "--url", api.url, "--key", "sbk_x"])

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["k1", "admin", "Ada"],
        ["k2", "admin", "Ada"],
    ]
