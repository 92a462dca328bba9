"""Random requests to the page for `fuzz.py`: valid ones, mutated ones, and junk; and WebSockets."""

import base64
import io
import json
import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image

from realtime.page.access import COOKIE
from realtime.page.guard import cookie_of
from realtime.sources import DEMO

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "",
           "get")  # fmt: skip
SEEN = ("/", "/page.js", "/page.css", "/icon.svg", "/index.html", "/stream", "/events", "/state",
        "/choices", "/snapshot", "/wardrobe", "/healthz", "/metrics")  # fmt: skip
COMMANDS: dict[str, tuple[str, ...]] = {  # with the fields of their bodies
    "/pause": ("paused",), "/stop": (), "/source": ("source",), "/pick": ("x", "y", "track"),
    "/settings": ("model", "locate", "threshold"), "/teach": ("pick", "name"),
}  # fmt: skip
UPLOAD, CAMERA = "/upload", "/camera"
ROUTES = {**dict.fromkeys(SEEN, "GET"), **dict.fromkeys(COMMANDS, "POST"), UPLOAD: "PUT",
          CAMERA: "GET"}  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 0.5, 7, 10**400, 1e308, -0.0, float("nan"), float("inf"), "", "demo",
    "recording", "deep", "baseline", "segment", "motion", "none", "0.4", "../weights/deep",
    "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/", "rtsp://[::1", "https://\ud800/",
    "tcp://127.0.0.1:1", "concat:a|b", "\x00", "\ud800", "=1+1", "x" * 9000, [], {}, [[]],
    {"a": [1]}, "camera 0", "http://[", "udp://:::::",
)  # fmt: skip
ODD_TEXT = (
    "%", "%00", "%ff", "%2e%2e/", "..", "//", "\\", "?", "#", ";", "&&", "=", "\t", "é", "\ud800",
    "'", "<script>", "[", "]", "{}", "a" * 300, "%c0%ae", " ", "\x7f", "💥",
)  # fmt: skip
HEADER_VALUES = (
    "", "0", "-1", "abc", "1, 2", "bytes=0-", "bytes=-1", "bytes=9-2", "bytes=a-b", "*/*", "é",
    "bytes=0-1,3-4,6-", "gzip", "chunked, chunked", "100-continue", "a" * 5000, "websocket", "\x00",
    "Thu, 01 Jan 1970 00:00:00 GMT", '"x"', "h2c",
)  # fmt: skip
HEADER_NAMES = (
    "Range", "If-Range", "If-None-Match", "If-Modified-Since", "Accept", "Accept-Encoding", "TE",
    "Content-Encoding", "Transfer-Encoding", "Content-Length", "Content-Type", "Connection",
    "Upgrade", "Origin", "Host", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "Cookie",
    "Authorization", "Max-Forwards", "Expect", ":path", "a b", "",
)  # fmt: skip
KINDS = (
    "application/json", "application/json; charset=utf-16", "text/plain", "", "application/xml",
    "multipart/form-data; boundary=b", "multipart/form-data", "application/x-www-form-urlencoded",
    "image/png", "a/b/c;=;", "é",
)  # fmt: skip
OPCODES = (0, 1, 2, 3, 7, 8, 9, 10, 15)
MULTIPART = (b'--b\r\nContent-Disposition: form-data; name="f"; filename="../a.mp4"\r\n'
             b"Content-Type: video/mp4\r\n\r\n%s\r\n--b--\r\n")  # fmt: skip


@dataclass(frozen=True)
class Request:
    """Bytes for a connection of its own.

    Attributes:
        route: path that it was made from.
        whole: True if the server knows where it ends: it is to answer.
        socket: frames of a WebSocket, for once it is open.
    """

    route: str
    data: bytes
    whole: bool
    socket: tuple[bytes, ...] = ()


@cache
def _picture(mode: str, size: tuple[int, int], kind: str) -> bytes:
    """A black picture as a file."""
    file = io.BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()


class Drawer:
    """Draws requests.

    Args:
        tokens: of "viewer" and "admin".
        port: of the page.
    """

    def __init__(self, rng: random.Random, tokens: Mapping[str, str], port: int):
        self._rng, self._tokens, self._port = rng, tokens, port
        self._jpeg = _picture("RGB", (64, 48), "JPEG")
        bomb = _picture("1", (20_000, 20_000), "PNG")
        self._files = (DEMO.read_bytes(), self._jpeg, bomb, b"", b"GIF89a", b"\x00" * 99)

    def request(self) -> Request:
        """A request of anybody to any route."""
        route = self._rng.choice(tuple(ROUTES))
        if route == CAMERA and self._rng.random() < 0.8:
            return self._websocket()
        method = ROUTES[route] if self._usually() else self._rng.choice(METHODS)
        body, kind = (
            self._body(route) if method not in ("GET", "HEAD") or self._rarely() else (b"", "")
        )
        lines = [f"{method} {self._target(route)} {self._version()}", *self._headers()]
        if kind:
            lines.append(f"Content-Type: {kind}")
        framed, whole = self._framed(body, lines)
        if self._rarely():  # a byte of it all is another one
            framed, whole = self._mutated(framed), False
        return Request(route, framed, whole)

    def _usually(self) -> bool:
        return self._rng.random() < 0.92

    def _rarely(self) -> bool:
        return self._rng.random() < 0.1

    def _version(self) -> str:
        return (
            "HTTP/1.1"
            if self._usually()
            else self._rng.choice(["HTTP/1.0", "HTTP/2.0", "HTTP/9", ""])
        )

    def _target(self, route: str) -> str:
        path = route if self._usually() else self._spoilt(route)
        query = []
        if self._rarely():
            query.append(f"token={self._rng.choice([*self._tokens.values(), 'wrong', '', '%ff'])}")
        while self._rarely():
            query.append(self._spoilt("a=b"))
        return path + ("?" + "&".join(query) if query else "")

    def _spoilt(self, text: str) -> str:
        for _ in range(self._rng.randint(1, 4)):
            place = self._rng.randint(0, len(text))
            text = text[:place] + self._rng.choice(ODD_TEXT) + text[place:]
        return text

    def _headers(self) -> list[str]:
        host = f"127.0.0.1:{self._port}"
        lines = [f"Host: {host if self._usually() else self._spoilt(host)}"]
        role = self._rng.choice(["nobody", "viewer", "admin", "admin", "admin", "admin"])
        token = self._tokens.get(role, "")
        if role == "nobody":
            lines += self._rng.choice([[], [f"Cookie: {COOKIE}-{self._port}={self._spoilt('x')}"]])
        elif self._rng.random() < 0.5:
            lines.append(f"Cookie: {COOKIE}-{self._port}={cookie_of(token)}")
        else:
            lines.append(f"Authorization: Bearer {token}")
        while self._rng.random() < 0.3:
            name, value = self._rng.choice(HEADER_NAMES), self._rng.choice(HEADER_VALUES)
            lines += [f"{name}: {value}"] * self._rng.choice([1, 1, 1, 2, 90])
        return lines

    def _body(self, route: str) -> tuple[bytes, str]:
        kind = "application/json" if self._usually() else self._rng.choice(KINDS)
        if route == UPLOAD or self._rarely():
            data = self._rng.choice(self._files)
            return (MULTIPART % data if self._rarely() else self._mutated(data)), kind
        return self._json(COMMANDS.get(route, ())) if self._usually() else self._junk(), kind

    def _json(self, fields: tuple[str, ...]) -> bytes:
        if self._rarely():
            fields = self._rng.choice(tuple(COMMANDS.values()))
        wanted: Any = {name: self._rng.choice(VALUES) for name in fields if self._usually()}
        data = json.dumps(wanted if self._usually() else [wanted]).encode()
        return self._mutated(data) if self._rarely() else data

    def _junk(self) -> bytes:
        depth = self._rng.choice([1, 100, 20_000])
        return self._rng.choice([
            b"[" * depth, b'{"a":' * depth, self._rng.randbytes(100), b"\xff\xfe{", b"null", b"",
            b"1e999", b'"\\ud800"', b" " * 70_000, b'{"threshold": 1' + b"0" * 5000 + b"}",
        ])  # fmt: skip

    def _mutated(self, data: bytes) -> bytes:
        found = bytearray(data)
        for _ in range(self._rng.randint(0, 8)):
            if found:
                place = self._rng.randrange(len(found))
                found[place : place + self._rng.choice([1, 1, 1, 40])] = self._rng.randbytes(
                    self._rng.choice([0, 1, 1, 30])
                )
        return bytes(found)

    def _framed(self, body: bytes, lines: list[str]) -> tuple[bytes, bool]:
        """The request, and True if its end is where it says."""
        how = self._rng.choice(["length"] * 8 + ["chunked", "short", "long", "none"])
        if how == "chunked":
            size = self._rng.randint(1, 3000)
            parts = [body[at : at + size] for at in range(0, len(body), size)][:500]
            body = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in parts) + b"0\r\n\r\n"
            lines.append("Transfer-Encoding: chunked")
        elif how != "none":
            length = len(body) + {"length": 0, "short": -1, "long": 9}[how]
            lines.append(f"Content-Length: {length}")
        lines.append("Connection: close")
        head = "\r\n".join(lines).encode("utf-8", "surrogatepass")
        return head + b"\r\n\r\n" + body, how in ("length", "chunked")

    def _websocket(self) -> Request:
        key = base64.b64encode(self._rng.randbytes(16)).decode()
        version = "13" if self._usually() else self._rng.choice(HEADER_VALUES)
        lines = [
            f"GET {self._target(CAMERA)} HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key if self._usually() else self._spoilt(key)}",
            f"Sec-WebSocket-Version: {version}", *self._headers(),
        ]  # fmt: skip
        if self._rarely():
            lines.append(f"Sec-WebSocket-Extensions: {self._rng.choice(ODD_TEXT)}")
        head = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n"
        frames = tuple(self._frame() for _ in range(self._rng.randint(0, 6)))
        return Request(CAMERA, head, whole=False, socket=frames)

    def _frame(self) -> bytes:
        """A frame of RFC 6455, mostly a picture; sometimes against its rules."""
        data = self._jpeg if self._usually() else self._mutated(self._rng.choice(self._files[1:]))
        opcode = 2 if self._usually() else self._rng.choice(OPCODES)
        first = (0x80 if self._usually() else self._rng.choice([0, 0x70])) | opcode
        length = len(data) if self._usually() else self._rng.choice([0, 2**16, 2**40, 2**63])
        masked, mask = 0x80 if self._usually() else 0, self._rng.randbytes(4)
        covered = bytes(one ^ mask[at % 4] for at, one in enumerate(data)) if masked else data
        head = struct.pack(">BBQ", first, masked | 127, length)
        return head + (mask if masked else b"") + covered
