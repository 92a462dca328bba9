"""Access to the page: known host, the page's own origin, and a token for other machines."""

import hmac
import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass

COOKIE = "garments"


@dataclass(frozen=True)
class Guard:
    """Accepts or refuses requests.

    Attributes:
        token: secret that a request must present; "" for none.
        local: True if the page is served to this machine alone.
    """

    token: str
    local: bool

    def refusal(self, headers: Mapping[str, str], token: str) -> str:
        """Return the reason why a request is refused; "" if it is not.

        Args:
            headers: of the request, by lower-case names.
            token: of its cookie or URL, or "".
        """
        host = headers.get("host", "")
        if not self._known(host):
            return f"unknown host {host[:80]!r}: open the page by this machine's address"
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "another site's page may not use this one"
        if self.token and not hmac.compare_digest(token.encode(), self.token.encode()):
            return "open the page by the address with ?token=... that the app printed"
        return ""

    def _known(self, host: str) -> bool:
        """True if the host is this machine, and not a name that another site's DNS points here."""
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
    """True if an address to listen on is reachable from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
