"""Access to the page: host, origin and token."""

import pytest

from realtime.page.guard import Guard, is_local


@pytest.mark.parametrize(
    ("headers", "token", "refused"),
    [
        ({"host": "127.0.0.1:8000"}, "secret", ""),
        ({"host": "localhost:8000"}, "secret", ""),
        ({"host": "[::1]:8000"}, "secret", ""),
        ({"host": "192.168.1.5:8000"}, "secret", ""),
        ({"host": "192.168.1.5", "origin": "http://192.168.1.5"}, "secret", ""),
        ({"host": "192.168.1.5"}, "", "token"),
        ({"host": "192.168.1.5"}, "secreT", "token"),
        ({"host": "garments.attacker.example"}, "secret", "unknown host"),
        ({}, "secret", "unknown host"),
        ({"host": "localhost:1", "origin": "http://localhost:2"}, "secret", "another site"),
        ({"host": "localhost", "origin": "null"}, "secret", "another site"),
    ],
)
def test_off_this_machine_a_token_is_needed(headers, token, refused):
    found = Guard("secret", local=False).refusal(headers, token)
    assert refused in found and bool(found) == bool(refused)


@pytest.mark.parametrize(
    ("host", "refused"),
    [("127.0.0.1:80", False), ("localhost", False), ("192.168.1.5", True), ("evil.example", True)],
)
def test_on_this_machine_only_its_own_names_do(host, refused):
    assert bool(Guard("", local=True).refusal({"host": host}, "")) == refused


def test_local_addresses():
    assert is_local("127.0.0.1") and is_local("localhost") and is_local("::1")
    assert not is_local("0.0.0.0") and not is_local("192.168.0.2")
