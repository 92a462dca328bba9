"""Routes of the page: its files, pictures, figures, controls, upload, the browser's camera.

A control is refused if its value is not one of those offered.
"""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preprocessing.errors import GarmentError, SourceError, UsageError
from realtime.analysis.locators import LOCATORS
from realtime.page.browser_camera import BrowserCamera, decoded
from realtime.page.guard import COOKIE, Guard
from realtime.page.session import Session
from realtime.settings import Address
from realtime.sources import DEMO
from realtime.sources.addresses import STREAM_SCHEMES, is_stream, read_address
from realtime.sources.devices import Camera, are_listed, cameras
from realtime.sources.open_source import open_source
from training.inference.weights import locate, read_manifest

STATIC = Path(__file__).with_name("static")
EVENT_SECONDS = 0.25  # between two states on /events
MAX_UPLOAD = 500 * 2**20  # bytes
MAX_PICTURE = 4 * 2**20  # bytes of a picture of the browser's camera
MAX_PIXELS = 4096 * 4096
BOUNDARY = "picture"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Guarded:
    """Middleware that drops the requests, HTTP and WebSocket, that the guard refuses."""

    def __init__(self, app: ASGIApp, guard: Guard):
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        request = HTTPConnection(scope)
        token = request.query_params.get("token", "")
        refusal = self._guard.refusal(request.headers, token or request.cookies.get(COOKIE, ""))
        if scope["type"] == "websocket":
            if refusal:
                return await WebSocket(scope, receive, send).close(1008, refusal)
            return await self._app(scope, receive, send)
        if refusal:
            return await JSONResponse({"error": refusal}, 403)(scope, receive, send)
        if token and scope["method"] == "GET":  # the URL loses its token
            response = RedirectResponse(request.url.path, 303)
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
            return await response(scope, receive, send)
        await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds HEADERS, which restrict what a browser does with the page."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return sent


def make_app(session: Session, guard: Guard) -> FastAPI:
    """Return the web application of a session."""
    uploads = tempfile.TemporaryDirectory(prefix="garments-")

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        session.hub.attach()
        yield
        await asyncio.to_thread(session.stop)
        uploads.cleanup()

    app = FastAPI(lifespan=life, openapi_url=None)
    app.add_middleware(Guarded, guard=guard)
    _add_views(app, session)
    _add_controls(app, session, Path(uploads.name))
    app.mount("/", StaticFiles(directory=STATIC, html=True))

    @app.exception_handler(GarmentError)
    async def refused(request: Request, error: GarmentError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 400)

    return app


def _add_views(app: FastAPI, session: Session) -> None:
    hub = session.hub

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            async for picture in hub.pictures():
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                yield head.encode() + b"\r\n\r\n" + picture + b"\r\n"

        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(parts(), media_type=kind, headers={"Cache-Control": "no-store"})

    @app.get("/events")
    async def events() -> StreamingResponse:
        async def states() -> AsyncIterator[str]:
            while not hub.closed:
                yield f"data: {json.dumps(session.report())}\n\n"
                await asyncio.sleep(EVENT_SECONDS)

        return StreamingResponse(states(), media_type="text/event-stream",
                                 headers={"Cache-Control": "no-store"})  # fmt: skip

    @app.get("/state")
    async def state() -> dict:
        return session.report()

    @app.get("/choices")
    async def choices() -> dict:
        return {"models": _models(), "locators": ["auto", *LOCATORS],
                "sources": list(_sources(session))}  # fmt: skip

    @app.get("/snapshot")
    async def snapshot() -> Response:
        picture = await asyncio.to_thread(hub.snapshot)
        if picture is None:
            raise UsageError("there is no picture yet")
        name = f'attachment; filename="garments-{session.report()["frames"]:06d}.jpg"'
        return Response(picture, media_type="image/jpeg", headers={"Content-Disposition": name})

    @app.get("/wardrobe")
    async def wardrobe() -> Response:
        if session.wardrobe is None or not session.wardrobe.names:
            raise UsageError("no garment was taught yet: click one")
        name = 'attachment; filename="wardrobe.npz"'
        return Response(session.wardrobe.to_bytes(), media_type="application/octet-stream",
                        headers={"Content-Disposition": name})  # fmt: skip


def _models() -> list[str]:
    """Return the committed classifiers."""
    return [name for name in sorted(read_manifest()) if locate(name)[1].task == "classify"]


def _sources(session: Session) -> dict[str, Address]:
    """Return the addresses of the sources that the page offers, by the names that it shows."""
    have = cameras() if are_listed() else [Camera(0)]  # most machines have one
    return {**session.own, "demo": str(DEMO), **{f"camera {one}": one.number for one in have}}


def _add_controls(app: FastAPI, session: Session, uploads: Path) -> None:
    @app.post("/pause")
    async def pause(wanted: dict) -> dict:
        session.paused = bool(wanted.get("paused"))
        return session.report()

    @app.post("/stop")
    async def stop() -> dict:
        await asyncio.to_thread(session.stop)
        return session.report()

    @app.post("/source")
    async def source(wanted: dict) -> dict:
        address = _address(session, str(wanted.get("source", "")))
        opened = await asyncio.to_thread(open_source, address)
        await asyncio.to_thread(session.start, opened)
        return session.report()

    @app.post("/settings")
    async def settings(wanted: dict) -> dict:
        await asyncio.to_thread(session.change, **_changes(wanted))
        return session.report()

    @app.post("/pick")
    async def pick(wanted: dict) -> dict:
        return session.pick(wanted)

    teaching = asyncio.Lock()  # one garment after the other

    @app.post("/teach")
    async def teach(wanted: dict) -> dict:
        async with teaching:
            await asyncio.to_thread(session.teach, wanted)
        return session.report()

    @app.put("/upload")
    async def upload(request: Request) -> dict:
        path = await _received(request, uploads)
        try:
            opened = await asyncio.to_thread(open_source, str(path))
        except SourceError as error:
            path.unlink()
            reason = str(error).replace(str(path), "it")
            raise SourceError(f"this file is not a video or picture that can be read: {reason}"
                              ) from error  # fmt: skip
        await asyncio.to_thread(session.start, opened)
        return session.report()

    @app.websocket("/camera")
    async def camera(socket: WebSocket) -> None:
        await socket.accept()
        with suppress(WebSocketDisconnect):
            await _show_browser_camera(socket, session)


def _address(session: Session, name: str) -> Address:
    """Return the address of the source that the page asks for: an offered one, or a stream's URL.

    Raises:
        UsageError: it is neither, for instance a path.
    """
    if is_stream(url := read_address(name)):
        return url
    offered = _sources(session)
    if name not in offered:
        raise UsageError(f"no such source: {name[:80]!r}; a URL begins with "
                         f"{' '.join(STREAM_SCHEMES)}")  # fmt: skip
    return offered[name]


def _changes(wanted: dict) -> dict[str, object]:
    """Return the recognition settings that a request asks for, by field name.

    Raises:
        UsageError: a value is not one of those offered.
    """
    changes: dict[str, object] = {}
    if "model" in wanted:
        if wanted["model"] not in _models():
            raise UsageError(f"no such model: wanted one of {', '.join(_models())}")
        changes["model"] = wanted["model"]
    if "locate" in wanted:
        if wanted["locate"] not in ("auto", *LOCATORS):
            raise UsageError(f"no such locator: wanted one of {', '.join(LOCATORS)}")
        changes["locator"] = wanted["locate"]
    if "threshold" in wanted:
        try:
            changes["label_threshold"] = float(wanted["threshold"])
        except (TypeError, ValueError) as error:
            raise UsageError("the threshold must be a number from 0 to 1") from error
    return changes


async def _received(request: Request, folder: Path) -> Path:
    """Write the request's body to a new file; return its path.

    Raises:
        UsageError: it is empty or too large.
    """
    descriptor, name = tempfile.mkstemp(dir=folder)
    path, size = Path(name), 0
    with open(descriptor, "wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > MAX_UPLOAD:
                break
            file.write(chunk)
    if not 0 < size <= MAX_UPLOAD:
        path.unlink()
        raise UsageError(f"an upload must have 1 byte to {MAX_UPLOAD // 2**20} MB")
    return path


async def _show_browser_camera(socket: WebSocket, session: Session) -> None:
    """Feed the browser's pictures to the session; it sends one for each reply, so none pile up."""
    source: BrowserCamera | None = None
    try:
        while True:
            jpeg = await socket.receive_bytes()
            if source is None:
                first = decoded(jpeg) if len(jpeg) <= MAX_PICTURE else None
                if first is None or first.size > 3 * MAX_PIXELS:
                    return await socket.close(1003, "wanted the JPEG pictures of a camera")
                source = BrowserCamera(first.shape[1], first.shape[0])
                await asyncio.to_thread(session.start, source)
            if not source.feed(jpeg):
                return await socket.close(1000, "another source was chosen")
            await socket.send_text("next")
    finally:
        if source is not None:
            source.close()
