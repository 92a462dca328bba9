"""`--serve`: opens the port, starts the session, and serves the page until a signal."""

import asyncio
import logging
import os
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI

from preprocessing.errors import SinkError, UsageError
from realtime.page.browser_camera import MAX_BYTES
from realtime.page.guard import Guard, Role, is_local
from realtime.page.limits import BoundedProtocol, ClientFaults
from realtime.page.server import make_app
from realtime.page.session import Session
from realtime.runtime.interrupt import Interrupt
from realtime.runtime.service import service, status_of
from realtime.settings import DEFAULT_ADDRESS, Address, PageSettings, Settings
from realtime.sources.source import Source

TOKEN_VARIABLES = {Role.ADMIN: "GARMENTS_TOKEN", Role.VIEWER: "GARMENTS_VIEWER_TOKEN"}
DEFAULT_HOST, DEFAULT_PORT = DEFAULT_ADDRESS.split(":")
POLL_SECONDS = 0.2
BACKLOG = 64  # connections that are accepted at a time, before those over the cap are closed
CLIENT_FAULTS = ClientFaults()
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
    ready: Callable[[Mapping[Role, str]], None],
) -> int:
    """Serve the page until a signal; return the exit status.

    Args:
        source: the first to show, already open; None to leave the choice to the page.
        address: of the source.
        ready: called with the page's URL for each role once it can be opened.

    Raises:
        UsageError: --open for other machines.
        SinkError: the port is not available, or the certificate cannot be read.
        WeightsError, DeviceError: the networks cannot be loaded.
    """
    host, port = read_address(settings.serve or DEFAULT_ADDRESS)
    page = settings.page
    guard = Guard(
        _tokens(page, host), local=is_local(host), hosts=frozenset(map(str.lower, page.allow_host))
    )
    with listen(host, port) as listening, Interrupt() as interrupt:
        session = Session(settings, address=address)
        server = Server(_server_settings(make_app(session, guard), page))
        if source is not None:
            session.start(source)
        ready(_urls(listening, host, guard, secure=bool(page.tls_cert)))
        asyncio.run(_serve_until(server, listening, session, interrupt))
    if session.failure is not None:
        raise session.failure
    return interrupt.status


def _tokens(page: PageSettings, host: str) -> dict[Role, str]:
    """The token of each role: that of the environment, or a new one.

    Raises:
        UsageError: --open for other machines, or the same token for both roles.
    """
    if page.open:
        if is_local(host):
            return {}
        raise UsageError(f"--open lets everybody change the page, and {host} is reachable from "
                         "other machines: leave --open out, or serve on 127.0.0.1")  # fmt: skip
    tokens = {role: os.environ.get(name) or secrets.token_urlsafe(16)
              for role, name in TOKEN_VARIABLES.items()}  # fmt: skip
    if len(set(tokens.values())) < len(tokens):
        raise UsageError(f"{' and '.join(TOKEN_VARIABLES.values())} are the same: viewers would be "
                         "admins")  # fmt: skip
    return tokens


def _server_settings(app: FastAPI, page: PageSettings) -> uvicorn.Config:
    """uvicorn's settings of the page.

    Raises:
        SinkError: the certificate or its key cannot be read.
    """
    made = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, http=BoundedProtocol,
        ws_max_size=MAX_BYTES, backlog=BACKLOG, ws_per_message_deflate=False, server_header=False,
        timeout_graceful_shutdown=CLOSING_SECONDS, ssl_certfile=page.tls_cert,
        ssl_keyfile=page.tls_key,
    )  # fmt: skip
    logging.getLogger("uvicorn.error").addFilter(CLIENT_FAULTS)
    if page.tls_cert:
        _check_certificate(page.tls_cert, page.tls_key)
    made.load()
    return made


def _check_certificate(certificate: Path, key: Path | None) -> None:
    """Check that both can be served with.

    Raises:
        SinkError: they cannot be read, do not belong together, or the key has a password, for which
            OpenSSL would wait at the terminal.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, lambda: "")
    except OSError as error:  # also ssl.SSLError
        files = f"--tls-cert {certificate}" + (f" and --tls-key {key}" if key else "")
        raise SinkError(
            f"cannot serve with {files} ({error.strerror or error}): wanted PEM files of a "
            "certificate and of its key, without a password"
        ) from error


def _urls(listening: socket.socket, host: str, guard: Guard, *, secure: bool) -> dict[Role, str]:
    shown = f"[{host}]" if ":" in host else host
    page = f"http{'s' * secure}://{shown}:{listening.getsockname()[1]}/"
    if not guard.tokens:
        return {Role.ADMIN: page}
    return {role: f"{page}?token={quote(token, safe='')}" for role, token in guard.tokens.items()}


class _Life:
    """Notifies the service manager that the page is up, and while what it records goes on.

    A recording that failed, or gives no frame, is no life; one that has come to its end is.
    """

    def __init__(self, session: Session):
        self._session, self._written = session, -1

    def notify(self) -> None:
        """Notify the manager of what came since the last time; called often."""
        run = self._session.recording
        written = run.stats.written if run else 0
        if run is None or written != self._written or not (run.running or run.error):
            service().alive()
        self._written = written
        service().ready()
        service().watch(self._status)

    def _status(self) -> str:
        run = self._session.recording
        if run is None:
            return "page without a recording"
        return f"failed: {run.error}" if run.error else status_of(run.name, run.stats)


async def _serve_until(
    server: Server, listening: socket.socket, session: Session, interrupt: Interrupt
) -> None:
    """Serve until a signal; the run and its outputs are completed first."""
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    life = _Life(session)
    while not interrupt.requested() and not serving.done():
        if server.started:
            life.notify()
        await asyncio.sleep(POLL_SECONDS)
    service().stopping()
    await asyncio.to_thread(session.close)
    session.hub.close()
    server.should_exit = True
    await serving
