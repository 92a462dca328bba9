"""Who may see the page: the right host, the page's own origin, and a token off this machine."""

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass

COOKIE = "garments"


@dataclass(frozen=True)
class Guard:
    """Decides over requests.

    Attributes:
        token: what a viewer must show; empty where none is needed.
        local: whether the page is served to this machine alone.
    """

    token: str
    local: bool

    def refusal(self, headers: Mapping[str, str], shown: str) -> str:
        """Why a request is refused; empty if it is not.

        Args:
            headers: of the request, by lower-case names.
            shown: the token of its cookie or address, or empty.
        """
        host = headers.get("host", "")
        if not self._known(host):
            return f"unknown host {host[:80]!r}: open the page by this machine's address"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "another site's page may not use this one"
        if self.token and not hmac.compare_digest(shown.encode(), self.token.encode()):
            return "open the page by the address with ?token=... that the app printed"
        return ""

    def _known(self, host: str) -> bool:
        """Names that another site may point here by its own DNS are none of ours."""
        name = host.rpartition("]")[0].removeprefix("[") or host.partition(":")[0].lower()
        if name == "localhost":
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            own = socket.gethostname().lower()
            return not self.local and name in (own, f"{own}.local")
        return address.is_loopback or not self.local


def is_local(host: str) -> bool:
    """Whether an address to listen on is only this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
