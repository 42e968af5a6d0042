"""What only DynamoDB has: errors of the service, retries, times to live, and the shape of its items."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import ANY, Stubber

from stagebell.adapters.dynamodb_definitions import DynamoDefinitions
from stagebell.adapters.dynamodb_records import DynamoRecords
from stagebell.adapters.dynamodb_runs import DynamoRuns
from stagebell.adapters.retention import Retention
from stagebell.domain.errors import RecordBusy, StagebellError
from stagebell.domain.records import Record
from tests.contract.examples import DEAL, change, commit_of, ended, enrolment, run
from tests.contract.worlds import SetClock, dynamodb_world

KEPT = Retention(SetClock(), days=400)
EXPIRES_AT = {"N": str(int(KEPT.clock.real_now().timestamp()) + 400 * 86_400)}


@pytest.fixture
def stub(dynamodb_client: Any) -> Iterator[Stubber]:
    client = botocore.session.get_session().create_client("dynamodb", region_name="eu-central-1")
    with Stubber(client) as stubber:
        yield stubber


def records(stub: Stubber) -> DynamoRecords:
    return DynamoRecords(stub.client, "RecordsTable", "RunsTable", KEPT)


def cancelled(stub: Stubber, *codes: str) -> None:
    reasons = [{"Code": code} for code in codes]
    stub.add_client_error(
        "transact_write_items", "TransactionCanceledException", modeled_fields={"CancellationReasons": reasons}
    )


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ProvisionedThroughputExceededException", 400, RecordBusy),
        ("ThrottlingException", 400, RecordBusy),
        ("RequestLimitExceeded", 400, RecordBusy),
        ("InternalServerError", 500, RecordBusy),
        ("SomethingNew", 503, RecordBusy),
        ("AccessDeniedException", 400, StagebellError),
        ("ResourceNotFoundException", 400, StagebellError),
        ("ValidationException", 400, StagebellError),
    ],
)
def test_an_error_of_the_service_is_one_of_ours(
    stub: Stubber, code: str, status: int, error: type[StagebellError]
) -> None:
    stub.add_client_error("query", code, http_status_code=status)

    with pytest.raises(StagebellError) as caught:
        records(stub).load(DEAL)

    assert isinstance(caught.value, error)
    assert isinstance(caught.value, RecordBusy) == (error is RecordBusy)
    assert caught.value.__cause__ is not None


def test_a_service_that_cannot_be_reached_is_busy(stub: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(stub.client, "get_item", fail)

    with pytest.raises(RecordBusy):
        DynamoDefinitions(stub.client, "DefinitionsTable").revision()


@pytest.mark.parametrize(
    ("codes", "result", "why"),
    [
        (("ConditionalCheckFailed", "None"), "duplicate", "the change exists"),
        (
            ("ConditionalCheckFailed", "ConditionalCheckFailed"),
            "duplicate",
            "it exists, so its record has moved as well",
        ),
        (("None", "ConditionalCheckFailed"), "conflict", "the record has moved"),
        (("None", "TransactionConflict"), "conflict", "another transaction writes the record"),
        (("TransactionConflict", "None"), "conflict", "another transaction writes the same change"),
        (("ConditionalCheckFailed", "ThrottlingError"), "duplicate", "it exists, however busy the tables are"),
    ],
)
def test_a_cancelled_commit_says_why(stub: Stubber, codes: tuple[str, ...], result: str, why: str) -> None:
    cancelled(stub, *codes)

    assert records(stub).commit(commit_of(Record(DEAL), change())) == result, why


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ThrottlingError", RecordBusy),
        ("ProvisionedThroughputExceeded", RecordBusy),
        ("ValidationError", StagebellError),
    ],
)
def test_a_transaction_cancelled_for_no_reason_of_ours_raises(
    stub: Stubber, code: str, error: type[StagebellError]
) -> None:
    cancelled(stub, "None", code)

    with pytest.raises(error):
        records(stub).commit(commit_of(Record(DEAL), change()))


@pytest.mark.parametrize("codes", [("TransactionConflict", "None"), ("None", "TransactionConflict")])
def test_a_run_that_another_transaction_writes_has_moved(stub: Stubber, codes: tuple[str, ...]) -> None:
    cancelled(stub, *codes)
    runs = DynamoRuns(stub.client, "RunsTable", "RecordsTable", KEPT)

    assert not runs.save(ended(run()), enrolment(ended(run())))


def _batch_answer(pk: str, unprocessed: bool) -> dict[str, Any]:
    item = {"pk": {"S": pk}, "sk": {"S": "mirror"}, "version": {"N": "1"}, "exists": {"BOOL": True}}
    rest = {"RecordsTable": {"Keys": [{"pk": {"S": "deal#2"}, "sk": {"S": "mirror"}}]}} if unprocessed else {}
    return {"Responses": {"RecordsTable": [item | {"announced": {"BOOL": True}}]}, "UnprocessedKeys": rest}


def test_keys_that_were_not_processed_are_asked_for_again(stub: Stubber) -> None:
    keys = [DEAL._replace(id=id) for id in ("1", "2")]
    stub.add_response("batch_get_item", _batch_answer("deal#1", unprocessed=True))
    stub.add_response("batch_get_item", _batch_answer("deal#2", unprocessed=False))

    assert list(records(stub).many(keys)) == keys
    stub.assert_no_pending_responses()


def test_keys_that_are_never_processed_are_given_up(stub: Stubber) -> None:
    for _ in range(10):
        stub.add_response("batch_get_item", _batch_answer("deal#1", unprocessed=True))

    with pytest.raises(RecordBusy):
        records(stub).many([DEAL._replace(id=id) for id in ("1", "2")])


def test_the_records_of_a_user_keep_their_order_whatever_order_they_are_read_in(stub: Stubber) -> None:
    """The index holds keys only; a batch is answered in any order, and without what is gone by now."""
    keys = [{"pk": {"S": f"deal#{id}"}, "sk": {"S": "mirror"}} for id in ("2", "gone", "1")]
    answers = [_batch_answer(f"deal#{id}", unprocessed=False)["Responses"]["RecordsTable"][0] for id in ("1", "2")]
    stub.add_response("query", {"Items": keys, "Count": 3})
    stub.add_response("batch_get_item", {"Responses": {"RecordsTable": answers}, "UnprocessedKeys": {}})

    assert [record.key.id for record in records(stub).owned("deal", "ada").items] == ["2", "1"]


def test_a_record_is_read_with_one_consistent_query(stub: Stubber) -> None:
    expected = {
        "TableName": "RecordsTable",
        "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {":pk": {"S": "deal#7"}, ":first": {"S": "enrolment#"}, ":last": {"S": "mirror"}},
        "ConsistentRead": True,
    }
    stub.add_response("query", {"Items": []}, expected)

    assert records(stub).load(DEAL).record == Record(DEAL)


def test_a_record_with_more_than_a_page_of_enrolments_is_read_whole(stub: Stubber) -> None:
    place = {"pk": {"S": "deal#7"}, "sk": {"S": "enrolment#a"}}
    first = {"definition": {"S": "a"}, "version": {"N": "1"}, "run": {"S": "r"}, "open": {"BOOL": False}}
    mirror = {"version": {"N": "4"}, "exists": {"BOOL": True}, "announced": {"BOOL": False}}
    stub.add_response("query", {"Items": [place | first], "LastEvaluatedKey": place})
    last = {"Items": [{"pk": {"S": "deal#7"}, "sk": {"S": "mirror"}, **mirror}]}
    stub.add_response("query", last, dict.fromkeys(_QUERY, ANY) | {"ExclusiveStartKey": place})

    stored = records(stub).load(DEAL)

    assert list(stored.enrolments) == ["a"]
    assert stored.record.version == 4


_QUERY = (
    "TableName",
    "KeyConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ConsistentRead",
)


def test_only_what_is_over_expires(tables: Any) -> None:
    world = dynamodb_world(tables)
    commit = commit_of(Record(DEAL), change(), started=[run()], enrolments=[enrolment(run())])
    world.records.commit(commit)
    open_run = _items(tables, "RunsTable")[0]

    world.runs.save(ended(run()), enrolment(ended(run())))

    stored = {item["sk"]["S"]: item for item in _items(tables, "RecordsTable")}
    assert "expires_at" not in open_run
    assert _items(tables, "RunsTable")[0]["expires_at"] == EXPIRES_AT
    assert stored["~change#erp:c1"]["expires_at"] == EXPIRES_AT
    assert "expires_at" not in stored["mirror"]
    assert "expires_at" not in stored["enrolment#unassigned"]


def _items(client: Any, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.scan(TableName=table)["Items"]
    return found
