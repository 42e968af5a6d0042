import os
import socket
import urllib.request

import boto3
import pytest
from botocore.exceptions import HTTPClientError


def test_a_test_cannot_look_up_a_foreign_host() -> None:
    with pytest.raises(RuntimeError, match="this machine"):
        urllib.request.urlopen("http://example.com")


def test_a_test_cannot_connect_to_a_foreign_address() -> None:
    with socket.socket() as outgoing, pytest.raises(RuntimeError, match="this machine"):
        outgoing.connect(("192.0.2.1", 443))


def test_a_client_that_nobody_faked_does_not_reach_aws() -> None:
    client = boto3.client("sts")

    with pytest.raises(HTTPClientError, match="this machine"):
        client.get_caller_identity()


def test_credentials_open_nothing() -> None:
    assert os.environ["AWS_ACCESS_KEY_ID"] == "testing"
    assert "AWS_PROFILE" not in os.environ
