"""Bounds of what a client may take: connections, time to send a request, size of its body."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import h11
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 200  # of a page; those beyond are closed at once
HEAD_SECONDS = 10  # from the connection, or the end of a request, to the next one's last header
BODY_SECONDS = 10  # for a body that is no upload
SEND_SECONDS = 30  # for a client to take a part of an answer
MAX_BODY = 64 * 2**10  # bytes of a body that is no upload
BODILESS = ("GET", "HEAD")  # nobody keeps their bodies, and their answers may begin before


class BoundedProtocol(H11Protocol):
    """HTTP that closes connections which send no whole head in time, and those over the cap."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._has_request:
            self._expect_nothing()
        elif self._deadline is None:
            self._expect_head()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Refuse headers at which websockets would fail."""
        if all(value.isascii() for _, value in self.headers):
            super().handle_websocket_upgrade(event)
        else:
            self.send_400_response("The headers of a WebSocket are ASCII.")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; an answer under way, whose body it was to be, ends with it."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                return self.transport.close()
        super().send_400_response(msg)

    @property
    def _has_request(self) -> bool:
        """True while a request is answered, or the connection is a WebSocket."""
        if self.transport.get_protocol() is not self:
            return True
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class ClientFaults(logging.Filter):
    """Leaves out what uvicorn logs of clients that break protocols: anybody could fill a log."""

    LINES = ("Invalid HTTP request", "Invalid UTF-8", "Unsupported upgrade")

    def filter(self, record: logging.LogRecord) -> bool:
        """True for records that are kept."""
        return not str(record.msg).startswith(self.LINES)


class Bounded:
    """Middleware that bounds bodies, and the time that a client may take to receive.

    Args:
        free: paths whose bodies are bounded by their own routes.
    """

    def __init__(self, app: ASGIApp, free: frozenset[str]):
        self._app, self._free = app, free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if scope["path"] not in self._free and scope["method"] not in BODILESS:
            receive = _bounded_body(receive)
        await self._app(scope, receive, _patient(send))


def _bounded_body(receive: Receive) -> Receive:
    size, until = 0, asyncio.get_running_loop().time() + BODY_SECONDS
    whole = False

    async def received() -> Message:
        nonlocal size, whole
        if whole:  # what comes now is the end of the connection, which a stream waits for
            return await receive()
        try:
            async with asyncio.timeout_at(until):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, f"a body is sent within {BODY_SECONDS} s") from None
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise HTTPException(413, f"a body has at most {MAX_BODY} bytes")
        whole = not message.get("more_body", False)
        return message

    return received


def _patient(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sent(message: Message) -> None:
        async with asyncio.timeout(SEND_SECONDS):
            await send(message)

    return sent
