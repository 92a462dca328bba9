"""`--serve`: opens the port, starts the session, and serves until a signal."""

import argparse
import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Callable
from contextlib import nullcontext

import uvicorn

from preprocessing.errors import SinkError, UsageError
from realtime.flags import DEFAULT_ADDRESS
from realtime.page.guard import Guard, is_local
from realtime.page.hub import Hub
from realtime.page.server import MAX_PICTURE, make_app
from realtime.page.session import Session
from realtime.runtime.interrupt import Interrupt
from realtime.sources.open_source import Source

TOKEN_VARIABLE = "GARMENTS_TOKEN"
DEFAULT_HOST, DEFAULT_PORT = DEFAULT_ADDRESS.split(":")
POLL_SECONDS = 0.2
CLOSING_SECONDS = 1  # that open connections get at the end


class Server(uvicorn.Server):
    """uvicorn without handlers for signals: the app's own finish its files first."""

    def capture_signals(self):
        return nullcontext()


def read_address(text: str) -> tuple[str, int]:
    """Host and port of "HOST:PORT", "HOST" or ":PORT".

    Raises:
        UsageError: the port is no number of 0 to 65535.
    """
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, DEFAULT_PORT
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--serve {text}: wanted HOST:PORT, as 127.0.0.1:8000")
    return host.strip("[]") or DEFAULT_HOST, int(port)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        SinkError: the port is taken, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SinkError(f"cannot serve on {host}:{port} ({error.strerror}): choose another "
                        "--serve HOST:PORT") from error  # fmt: skip


def serve(
    args: argparse.Namespace,
    first: Source | None,
    *,
    open_sinks: Callable[[Source], list],
    make_analysis: Callable,
) -> int:
    """Serve the page until Ctrl-C; the exit status.

    Args:
        first: the source to begin with; None leaves that to the page.

    Raises:
        SinkError: the port cannot be had.
        WeightsError, DeviceError: the models cannot.
    """
    host, port = read_address(args.serve)
    local = is_local(host)
    token = "" if local else os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(16)
    with listen(host, port) as listening, Interrupt() as interrupt:
        session = Session(args, hub=Hub(), open_sinks=open_sinks, make_analysis=make_analysis)
        app = make_app(session, Guard(token, local=local))
        if first is not None:
            session.start(first, own=True)
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listening.getsockname()[1]}/"
        print(f"page: {address}{f'?token={token}' if token else ''}", file=sys.stderr, flush=True)
        server = Server(uvicorn.Config(
            app, log_level="warning", ws_max_size=MAX_PICTURE, ws_per_message_deflate=False,
            timeout_graceful_shutdown=CLOSING_SECONDS, access_log=False,
        ))  # fmt: skip
        asyncio.run(_until(server, listening, session, interrupt))
    if session.failure is not None:
        raise session.failure
    return interrupt.status


async def _until(server, listening, session: Session, interrupt: Interrupt) -> None:
    """Serve until a signal came; then the run and its outputs are finished first."""
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    while not interrupt.requested() and not serving.done():
        await asyncio.sleep(POLL_SECONDS)
    await asyncio.to_thread(session.stop)
    session.hub.close()
    server.should_exit = True
    await serving
