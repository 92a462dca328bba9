"""Certificates of servers that sources are read from: what is trusted, and why one is refused.

FFmpeg verifies none unless it is asked to, and then not those of the servers that an HLS playlist
names: its segments are read by Python instead.
"""

import base64
import logging
import os
import socket
import ssl
import sys
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPSHandler, Request, build_opener

import certifi

from realtime.runtime.masking import masked

CA_VARIABLE = "SSL_CERT_FILE"  # as of OpenSSL, curl and most of what is built on them
# Where distributions keep the authorities that their administrators trust.
CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Arch, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # SUSE
)
OWN_STORE = ("win32", "darwin")  # systems whose own store FFmpeg uses there
PORTS = {"https": 443, "rtsps": 322, "rtmps": 443}  # of schemes with certificates
PROBE_SECONDS = 5.0
INSECURE = ("--insecure: certificates of https://, rtsps:// and rtmps:// sources are not verified, "
            "so anybody on the way can read and replace what they send")  # fmt: skip
HINT = f"if it is the right server, name its CA file in {CA_VARIABLE}, or accept any by --insecure"
logger = logging.getLogger(__name__)


def ca_file() -> str:
    """The file of trusted authorities (PEM); "" for the system's own store."""
    if given := os.environ.get(CA_VARIABLE):
        return given
    if sys.platform in OWN_STORE:
        return ""
    return next((path for path in CA_FILES if os.path.isfile(path)), certifi.where())


def tls_options(url: str) -> dict[str, str]:
    """FFmpeg's options by which it verifies the certificate of a server, if there is one."""
    if url.partition("://")[0] not in (*PORTS, "http"):  # which may lead elsewhere
        return {}
    trusted = ca_file()
    return {"tls_verify": "1"} | ({"ca_file": trusted} if trusted else {})


def refused_because(url: str) -> str:
    """Why the certificate of an address's server is not accepted; "" if it is, or none comes.

    FFmpeg tells a wrong certificate from a broken line in its log alone: another connection is
    made to ask.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in PORTS:
            return ""
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        context = _context()
        with (
            socket.create_connection((host, port), PROBE_SECONDS) as line,
            context.wrap_socket(line, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return refusal(error)
    except (OSError, ValueError) as error:
        return str(error) if str(error).startswith(CA_VARIABLE) else ""


def refusal(error: ssl.SSLCertVerificationError) -> str:
    """The end of a line about a certificate that is not accepted: the reason, and what to do."""
    return f"its certificate is not trusted ({error.verify_message.rstrip('.')}): {HINT}"


def _context() -> ssl.SSLContext:
    """The context of a connection that trusts as FFmpeg does.

    Raises:
        OSError: the file of the environment cannot be read, or holds no certificates.
    """
    trusted = ca_file()
    try:
        return ssl.create_default_context(cafile=trusted or None)
    except OSError as error:  # also ssl.SSLError
        reason = error.strerror or "no certificates in it"
        raise OSError(f"{CA_VARIABLE} names {trusted}, which cannot be read ({reason}): wanted a "
                      "PEM file of trusted certificates") from error  # fmt: skip


class VerifiedFiles:
    """Opens the playlists and segments of an HLS source, as PyAV's `io_open`; verifies all servers.

    What cannot be opened is empty: PyAV would print a traceback for every exception but one.

    Args:
        timeout: seconds for a server to answer, and to go on.

    Attributes:
        error: reason why the first of them could not be opened; "" for none.
    """

    def __init__(self, timeout: float):
        self.error = ""
        self._timeout = timeout
        self._logins: dict[str, str] = {}  # by host and port
        self._opener = build_opener(HTTPSHandler(context=_context()), HTTPCookieProcessor())

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> "_Part":
        """Open a playlist, a segment or a key."""
        return self.opened(url, options)

    def opened(self, url: str, options: Mapping[str, str] | None = None) -> "_Part":
        """Open an address, a range of its bytes where FFmpeg's options name one."""
        try:
            if not url.startswith(("https://", "http://")):
                raise OSError(f"encrypted segments are read with --insecure alone: {url[:12]}...")
            request = self._request(urlsplit(url), options or {})
            return _Part(self._opener.open(request, timeout=self._timeout))
        except (OSError, ValueError, HTTPException) as error:
            self._failed(url, error)
            return _Part(None)

    def _request(self, parts: SplitResult, options: Mapping[str, str]) -> Request:
        """A request for an address; the password of one is that of all files of its host."""
        login, _, place = parts.netloc.rpartition("@")
        headers = {"User-Agent": "Lavf"}
        if login:
            self._logins[place] = base64.b64encode(unquote(login).encode()).decode()
        if place in self._logins:
            headers["Authorization"] = f"Basic {self._logins[place]}"
        first, end = int(options.get("offset", 0)), int(options.get("end_offset", 0))
        if first or end:
            headers["Range"] = f"bytes={first}-{end - 1 if end else ''}"
        return Request(parts._replace(netloc=place).geturl(), headers=headers)

    def _failed(self, url: str, error: Exception) -> None:
        cause = error.args[0] if error.args else None
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = refusal(cause)
        elif isinstance(error, HTTPError):
            reason = f"the server answers {error.code} {error.reason}"
        else:
            reason = masked(str(error))
        if not self.error:
            self.error = f"{masked(url)}: {reason}"
            logger.info("cannot read %s", self.error)


class _Part:
    """A file that is read once; without one, an empty one."""

    def __init__(self, answer: HTTPResponse | None):
        self._answer = answer

    @property
    def url(self) -> str:
        """The address that redirects led to; "" if it was not opened."""
        return self._answer.geturl() if self._answer else ""

    def read(self, size: int) -> bytes:
        """Return what is there; nothing at the end, and where the line broke off."""
        try:
            return self._answer.read1(size) if self._answer else b""
        except (OSError, HTTPException):
            return b""

    def close(self) -> None:
        """Close it."""
        if self._answer:
            self._answer.close()
