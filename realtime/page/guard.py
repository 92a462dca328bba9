"""Access to the page: known host, the page's own origin, and a token of an admin or a viewer."""

import hashlib
import hmac
import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds after a wrong token; they double
MAX_CALLERS = 10_000  # whose wrong tokens are remembered


class Role(IntEnum):
    """Permissions: to see the page, or to change what it shows as well."""

    NOBODY = 0
    VIEWER = 1
    ADMIN = 2


@dataclass(frozen=True)
class Refusal:
    """Reason why a request is refused, with its HTTP status."""

    reason: str
    status: int = 403


@dataclass(frozen=True)
class Credentials:
    """Secrets that a request presents.

    Attributes:
        token: of its URL or its Authorization header, or "".
        cookie: or "".
        caller: address that it comes from.
    """

    token: str = ""
    cookie: str = ""
    caller: str = ""


class Throttle:
    """Waiting times of those who try wrong tokens: twice as long after each."""

    def __init__(self) -> None:
        self._waits: OrderedDict[str, tuple[float, float]] = OrderedDict()  # until when, how long

    def waits(self, caller: str) -> float:
        """The seconds for which nothing is accepted from a caller; 0 for none."""
        until, _ = self._waits.get(caller, (0.0, 0.0))
        return max(0.0, until - time.monotonic())

    def failed(self, caller: str) -> None:
        """Record a wrong token."""
        _, wait = self._waits.pop(caller, (0.0, FIRST_WAIT / 2))
        wait = min(2 * wait, LONGEST_WAIT)
        self._waits[caller] = time.monotonic() + wait, wait
        if len(self._waits) > MAX_CALLERS:
            self._waits.popitem(last=False)

    def succeeded(self, caller: str) -> None:
        """Forget a caller's wrong tokens."""
        self._waits.pop(caller, None)


@dataclass(frozen=True)
class Guard:
    """Accepts or refuses requests.

    Attributes:
        tokens: of each role; without any, everybody is an admin.
        local: True if the page is served to this machine alone.
        hosts: further names of this machine, such as that of a proxy before it.
    """

    tokens: Mapping[Role, str]
    local: bool
    hosts: frozenset[str] = frozenset()
    throttle: Throttle = field(default_factory=Throttle, compare=False)

    def refusal(
        self, headers: Mapping[str, str], given: Credentials, *, needed: Role
    ) -> Refusal | None:
        """Return why a request is refused; None if it is not.

        Args:
            headers: of the request, by lower-case names.
            needed: to do what it asks for.
        """
        host = headers.get("host", "")
        if not self._known(host):
            return Refusal(f"unknown host {host[:80]!r}: open the page by this machine's address, "
                           "or start the app with --allow-host NAME")  # fmt: skip
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return Refusal("another site's page may not use this one")
        if wait := self.throttle.waits(given.caller) if given.token else 0.0:
            return Refusal(f"too many wrong tokens: try again in {wait:.0f} s", 429)
        role = self.role(given)
        if given.token and role is Role.NOBODY:
            self.throttle.failed(given.caller)
        elif given.token:
            self.throttle.succeeded(given.caller)
        if role is Role.NOBODY:
            return Refusal("open the page by the address with ?token=... that the app printed")
        if role < needed:
            return Refusal("viewers see the page; to change what it shows needs the admin's token")
        return None

    def role(self, given: Credentials) -> Role:
        """Return the role that credentials give; a token before a cookie."""
        if not self.tokens:
            return Role.ADMIN
        wanted = (given.token or given.cookie).encode(errors="replace")
        same = [
            role for role, token in self.tokens.items()
            if hmac.compare_digest(wanted, (token if given.token else cookie_of(token)).encode())
        ]  # fmt: skip
        return max(same, default=Role.NOBODY)

    def _known(self, host: str) -> bool:
        """True if the host is this machine, and not a name that another site's DNS points here."""
        name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0].lower()
        if name == "localhost" or name in self.hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            own = socket.gethostname().lower()
            return not self.local and name in (own, f"{own}.local")
        return address.is_loopback or not self.local


def cookie_of(token: str) -> str:
    """The cookie of who presented a token, which does not tell the token."""
    return hmac.digest(token.encode(), b"cookie of the page", hashlib.sha256).hex()


def is_local(host: str) -> bool:
    """True if an address to listen on is reachable from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
