"""`--webhook URL`: each event as a POST of JSON, signed as by standardwebhooks.com."""

import base64
import binascii
import hashlib
import hmac
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from preprocessing.errors import UsageError
from realtime.sinks.events.outbox import DeliveryError, Outbox

TIMEOUT = 10.0  # seconds without a byte of an answer
REFUSED = (400, 413, 415, 422)  # statuses that no repetition changes
SECRET_PREFIX = "whsec_"  # of secrets in base64


class Webhook(Outbox):
    """Events to a URL, each until a status of 200 to 299 answers it.

    Args:
        secret: of the signature; empty for none.
    """

    def __init__(self, url: str, *, secret: bytes = b"", spool: Path | None = None):
        super().__init__(url, spool=spool)
        self._url, self._secret = url, secret
        self._opener = urllib.request.build_opener(_NoRedirect)

    def deliver(self, name: str, content: bytes) -> None:
        seconds = str(int(time.time()))
        headers = {"Content-Type": "application/json", "User-Agent": "garments",
                   "webhook-id": name, "webhook-timestamp": seconds}  # fmt: skip
        if self._secret:
            headers["webhook-signature"] = signature(self._secret, name, seconds, content)
        request = urllib.request.Request(self._url, content, headers, method="POST")
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            with error:
                words = f"answers {error.code} {error.reason}"
                pause = error.headers.get("Retry-After", "")
            raise DeliveryError(words, for_good=error.code in REFUSED,
                                pause=float(pause) if pause.isdecimal() else None
                                ) from error  # fmt: skip
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise DeliveryError(f"does not answer ({reason})") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing: a POST would become a GET without the event."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def signature(secret: bytes, name: str, seconds: str, content: bytes) -> str:
    """Return the signature of a message by HMAC-SHA256: "v1," and base64."""
    signed = b".".join((name.encode(), seconds.encode(), content))
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def read_secret(path: Path) -> bytes:
    """Return the secret in a file: its first line, in base64 behind "whsec_".

    Raises:
        UsageError: it cannot be read, or is empty.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
        secret = text.encode()
        if text.startswith(SECRET_PREFIX):
            secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise UsageError(f"cannot read the secret in --webhook-secret-file {path} ({error})"
                         ) from error  # fmt: skip
    if not secret:
        raise UsageError(f"--webhook-secret-file {path} is empty: write a secret into it")
    return secret
