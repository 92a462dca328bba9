"""Controls of admins: pause, stop, choose a source, change settings, teach, upload.

A control is refused if its value is not one of those offered. Each is a command of the session.
"""

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect

from preprocessing.errors import GarmentError, SourceError, UsageError
from realtime.analysis.locators import LOCATORS
from realtime.page.browser_camera import BrowserCamera, jpeg_size
from realtime.page.commands import BusyError
from realtime.page.session import RECORDING, Session
from realtime.page.uploads import Uploads
from realtime.settings import Address
from realtime.sources import DEMO
from realtime.sources.addresses import STREAM_SCHEMES, is_stream, read_address
from realtime.sources.devices import Camera, are_listed, cameras
from realtime.sources.open_source import open_source
from realtime.sources.source import Source
from training.inference.weights import locate, read_manifest

UPLOAD = "/upload"
CAMERA_SECONDS = 5  # between two pictures of the browser's camera; then it is gone
MAX_PIXELS = 50_000_000  # of a picture or video that is shown


def controls(session: Session, uploads: Uploads) -> APIRouter:
    """Return the routes that change what the page shows."""
    routes, command = APIRouter(), session.commands

    @routes.post("/pause")
    async def pause(wanted: dict) -> dict:
        await command(partial(session.pause, bool(wanted.get("paused"))))
        return session.report()

    @routes.post("/stop")
    async def stop() -> dict:
        await command(session.stop)
        return session.report()

    @routes.post("/source")
    async def source(wanted: dict) -> dict:
        name = str(wanted.get("source", ""))
        if name == RECORDING:
            await command(session.show_recording)
        else:
            address = _address(session, name)
            await command(partial(session.show, partial(_opened, address, session),
                                  first_release=isinstance(address, int)))  # fmt: skip
        return session.report()

    @routes.post("/settings")
    async def settings(wanted: dict) -> dict:
        await command(partial(session.change, **_changes(wanted)))
        return session.report()

    @routes.post("/pick")
    async def pick(wanted: dict) -> dict:
        return await command(partial(session.pick, wanted))

    @routes.post("/teach")
    async def teach(wanted: dict) -> dict:
        await command(partial(session.teach, wanted))
        return session.report()

    @routes.put(UPLOAD)
    async def upload(request: Request) -> dict:
        path = await uploads.receive(request.stream())
        try:
            await command(partial(session.show, partial(_opened_upload, path, session)))
        except (GarmentError, BusyError):
            uploads.remove(path)
            raise
        uploads.keep(path)
        return session.report()

    @routes.websocket("/camera")
    async def camera(socket: WebSocket) -> None:
        await socket.accept()
        with suppress(WebSocketDisconnect, TimeoutError):
            await _show_browser_camera(socket, session)

    return routes


def models() -> list[str]:
    """The names of the committed classifiers."""
    return [name for name in sorted(read_manifest()) if locate(name)[1].task == "classify"]


def sources(session: Session) -> dict[str, Address]:
    """The addresses of the sources that the page offers, by the names that it shows."""
    have = cameras() if are_listed() else [Camera(0)]  # most machines have one
    recording = {RECORDING: ""} if session.recording else {}
    own = {} if recording else session.own
    return {**recording, **own, "demo": str(DEMO), **{f"camera {one}": one.number for one in have}}


def _address(session: Session, name: str) -> Address:
    """The address of the source that the page asks for: an offered one, or a stream's URL.

    Raises:
        UsageError: it is neither, for instance a path.
    """
    if is_stream(url := read_address(name)):
        return url
    offered = sources(session)
    if name not in offered:
        raise UsageError(f"no such source: {name[:80]!r}; a URL begins with "
                         f"{' '.join(STREAM_SCHEMES)}")  # fmt: skip
    return offered[name]


def _opened(address: Address, session: Session) -> Source:
    """Open a source of a size that can be shown.

    Raises:
        SourceError: it cannot be opened, or is too large.
    """
    source = open_source(address, timeout=session.timeout, insecure=session.insecure)
    if source.info.width * source.info.height > MAX_PIXELS:
        source.__exit__(None, None, None)
        raise SourceError(f"pictures of {source.info.width} x {source.info.height} are too large: "
                          f"wanted at most {MAX_PIXELS / 1e6:.0f} million pixels")  # fmt: skip
    return source


def _opened_upload(path: Path, session: Session) -> Source:
    try:
        return _opened(str(path), session)
    except SourceError as error:
        reason = str(error).replace(str(path), "it")
        raise SourceError(f"this file is not a video or picture that can be read: {reason}"
                          ) from error  # fmt: skip


def _changes(wanted: dict) -> dict[str, object]:
    """The recognition settings that a request asks for, by field name.

    Raises:
        UsageError: a value is not one of those offered.
    """
    changes: dict[str, object] = {}
    if "model" in wanted:
        if wanted["model"] not in models():
            raise UsageError(f"no such model: wanted one of {', '.join(models())}")
        changes["model"] = wanted["model"]
    if "locate" in wanted:
        if wanted["locate"] not in ("auto", *LOCATORS):
            raise UsageError(f"no such locator: wanted one of {', '.join(LOCATORS)}")
        changes["locator"] = wanted["locate"]
    if "threshold" in wanted:
        try:
            changes["label_threshold"] = float(wanted["threshold"])
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError("the threshold must be a number from 0 to 1") from error
    return changes


async def _show_browser_camera(socket: WebSocket, session: Session) -> None:
    """Feed the browser's pictures to the session; it sends one for each reply, so none pile up.

    Raises:
        TimeoutError: the browser sends nothing any more.
        WebSocketDisconnect: it is gone.
    """
    source: BrowserCamera | None = None
    try:
        while True:
            async with asyncio.timeout(CAMERA_SECONDS):
                jpeg = await _received(socket)
            if source is None:
                size = jpeg_size(jpeg)
                if size is None:
                    return await socket.close(1003, "wanted the JPEG pictures of a camera")
                source = BrowserCamera(*size)
                await session.commands(partial(session.show, partial(_same, source)))
            if not source.feed(jpeg):
                return await socket.close(1000, "another source was chosen")
            await _ask_for_next(socket)
    finally:
        if source is not None:
            source.close()


async def _ask_for_next(socket: WebSocket) -> None:
    """Ask for a picture.

    Raises:
        WebSocketDisconnect: the browser broke the protocol, for which it was cut off meanwhile.
    """
    try:
        await socket.send_text("next")
    except RuntimeError as error:
        raise WebSocketDisconnect(1006) from error


async def _received(socket: WebSocket) -> bytes:
    """The next message; empty for a text."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    return message.get("bytes") or b""


def _same(source: BrowserCamera) -> Source:
    return source
