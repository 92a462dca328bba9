"""Access to the page: host, origin, token and role."""

import pytest

from realtime.page import guard
from realtime.page.guard import Credentials, Guard, Role, cookie_of, is_local

TOKENS = {Role.ADMIN: "secret", Role.VIEWER: "look"}


def refused(made, headers, *, needed=Role.VIEWER, **given):
    found = made.refusal(headers, Credentials(**given), needed=needed)
    return found.reason if found else ""


@pytest.mark.parametrize(
    ("headers", "token", "reason"),
    [
        ({"host": "127.0.0.1:8000"}, "secret", ""),
        ({"host": "localhost:8000"}, "look", ""),
        ({"host": "[::1]:8000"}, "secret", ""),
        ({"host": "192.168.1.5:8000"}, "secret", ""),
        ({"host": "192.168.1.5", "origin": "http://192.168.1.5"}, "secret", ""),
        ({"host": "shop.example"}, "secret", ""),
        ({"host": "192.168.1.5"}, "", "token"),
        ({"host": "localhost"}, "", "token"),
        ({"host": "192.168.1.5"}, "secreT", "token"),
        ({"host": "192.168.1.5"}, "sécret\udcff", "token"),
        ({"host": "garments.attacker.example"}, "secret", "unknown host"),
        ({}, "secret", "unknown host"),
        ({"host": "localhost:1", "origin": "http://localhost:2"}, "secret", "another site"),
        ({"host": "localhost", "origin": "null"}, "secret", "another site"),
    ],
)
def test_a_known_host_and_a_token_are_needed(headers, token, reason):
    made = Guard(TOKENS, local=False, hosts=frozenset({"shop.example"}))
    found = refused(made, headers, token=token)
    assert reason in found and bool(found) == bool(reason)


@pytest.mark.parametrize(
    ("host", "wrong"),
    [("127.0.0.1:80", False), ("localhost", False), ("192.168.1.5", True), ("evil.example", True)],
)
def test_on_this_machine_only_its_own_names_do(host, wrong):
    assert bool(refused(Guard({}, local=True), {"host": host})) == wrong


@pytest.mark.parametrize(
    ("given", "role"),
    [
        ({"token": "secret"}, Role.ADMIN),
        ({"token": "look"}, Role.VIEWER),
        ({"cookie": cookie_of("secret")}, Role.ADMIN),
        ({"cookie": cookie_of("look")}, Role.VIEWER),
        ({"cookie": "secret"}, Role.NOBODY),
        ({"token": cookie_of("secret")}, Role.NOBODY),
        ({}, Role.NOBODY),
    ],
)
def test_viewers_change_nothing(given, role):
    made = Guard(TOKENS, local=True)
    assert made.role(Credentials(**given)) is role
    found = refused(made, {"host": "localhost"}, needed=Role.ADMIN, **given)
    assert bool(found) == (role is not Role.ADMIN)


def test_wrong_tokens_make_their_caller_wait_twice_as_long_each(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(guard.time, "monotonic", lambda: now[0])
    made, host = Guard(TOKENS, local=True), {"host": "localhost"}
    waits = []
    for _ in range(9):
        assert "token" in refused(made, host, token="guess", caller="a")
        waits.append(made.throttle.waits("a"))
        found = made.refusal(host, Credentials(token="secret", caller="a"), needed=Role.VIEWER)
        assert found.status == 429 and not refused(made, host, token="secret", caller="b")
        assert not refused(made, host, cookie=cookie_of("secret"), caller="a")
        now[0] += waits[-1]
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert not refused(made, host, token="secret", caller="a")
    assert refused(made, host, token="guess", caller="a") and made.throttle.waits("a") == 0.5


def test_local_addresses():
    assert is_local("127.0.0.1") and is_local("localhost") and is_local("::1")
    assert not is_local("0.0.0.0") and not is_local("192.168.0.2")
