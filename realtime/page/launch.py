"""`--serve`: opens the port, starts the session, and serves the page until a signal."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from preprocessing.errors import SinkError, UsageError
from realtime.page.guard import Guard, is_local
from realtime.page.server import MAX_PICTURE, make_app
from realtime.page.session import Session
from realtime.runtime.interrupt import Interrupt
from realtime.settings import DEFAULT_ADDRESS, Address, Settings
from realtime.sources.source import Source

TOKEN_VARIABLE = "GARMENTS_TOKEN"
DEFAULT_HOST, DEFAULT_PORT = DEFAULT_ADDRESS.split(":")
POLL_SECONDS = 0.2
CLOSING_SECONDS = 1  # for open connections, at the end


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: those of the app complete the outputs first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the handlers as they are."""
        yield


def read_address(text: str) -> tuple[str, int]:
    """Return host and port of "HOST:PORT", "HOST" or ":PORT".

    Raises:
        UsageError: it is a file, or the port is not a number from 0 to 65535.
    """
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, DEFAULT_PORT
    if os.path.exists(text):
        raise UsageError(f"--serve takes HOST:PORT, got the file {text}: name the source before "
                         "--serve")  # fmt: skip
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--serve {text}: wanted HOST:PORT, such as 127.0.0.1:8000")
    return host.strip("[]") or DEFAULT_HOST, int(port)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there.

    Raises:
        SinkError: the port is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SinkError(f"cannot serve on {host}:{port} ({error.strerror}): choose another "
                        "--serve HOST:PORT") from error  # fmt: skip


def serve(
    settings: Settings,
    source: Source | None,
    *,
    address: Address | None,
    ready: Callable[[str], None],
) -> int:
    """Serve the page until a signal; return the exit status.

    Args:
        source: the first to show, already open; None to leave the choice to the page.
        address: of the source.
        ready: called with the page's URL once it can be opened.

    Raises:
        SinkError: the port is not available.
        WeightsError, DeviceError: the networks cannot be loaded.
    """
    host, port = read_address(settings.serve or DEFAULT_ADDRESS)
    local = is_local(host)
    token = "" if local else os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(16)
    with listen(host, port) as listening, Interrupt() as interrupt:
        session = Session(settings, address=address)
        app = make_app(session, Guard(token, local=local))
        if source is not None:
            session.start(source, own=True)
        ready(_url(listening, host, token))
        server = Server(uvicorn.Config(
            app, log_config=None, log_level="warning", access_log=False, ws_max_size=MAX_PICTURE,
            ws_per_message_deflate=False, timeout_graceful_shutdown=CLOSING_SECONDS,
        ))  # fmt: skip
        asyncio.run(_serve_until(server, listening, session, interrupt))
    if session.failure is not None:
        raise session.failure
    return interrupt.status


def _url(listening: socket.socket, host: str, token: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    query = f"?token={token}" if token else ""
    return f"http://{shown}:{listening.getsockname()[1]}/{query}"


async def _serve_until(
    server: Server, listening: socket.socket, session: Session, interrupt: Interrupt
) -> None:
    """Serve until a signal; the run and its outputs are completed first."""
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    while not interrupt.requested() and not serving.done():
        await asyncio.sleep(POLL_SECONDS)
    await asyncio.to_thread(session.stop)
    session.hub.close()
    server.should_exit = True
    await serving
