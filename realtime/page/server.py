"""The page's web application: its files, pictures and figures, for all who may see them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles

from preprocessing.errors import GarmentError, UsageError, printable
from realtime.analysis.locators import LOCATORS
from realtime.page.access import Guarded
from realtime.page.commands import BusyError
from realtime.page.controls import UPLOAD, controls, models, sources
from realtime.page.guard import Guard
from realtime.page.limits import Bounded
from realtime.page.metrics import KIND, metrics
from realtime.page.session import Session
from realtime.page.uploads import Uploads

STATIC = Path(__file__).with_name("static")
EVENT_SECONDS = 0.25  # between two states on /events
BOUNDARY = "picture"
FRESH = {"Cache-Control": "no-store"}


def make_app(session: Session, guard: Guard) -> FastAPI:
    """Return the web application of a session."""
    uploads = Uploads()

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        session.hub.attach()
        yield
        await asyncio.to_thread(session.close)
        uploads.close()

    app = FastAPI(lifespan=life, openapi_url=None)
    app.add_middleware(Bounded, free=frozenset({UPLOAD}))
    app.add_middleware(Guarded, guard=guard)
    app.include_router(_views(session))
    app.include_router(controls(session, uploads))
    app.mount("/", StaticFiles(directory=STATIC, html=True))

    @app.exception_handler(GarmentError)
    async def refused(request: Request, error: GarmentError) -> JSONResponse:
        return JSONResponse({"error": printable(str(error))}, 400)

    @app.exception_handler(RequestValidationError)
    async def odd(request: Request, error: RequestValidationError) -> JSONResponse:
        # Without what was sent, which may be no text, and numbers that JSON has none for.
        return JSONResponse({"error": "wanted a JSON object"}, 422)

    @app.exception_handler(BusyError)
    async def busy(request: Request, error: BusyError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 429)

    return app


def _views(session: Session) -> APIRouter:
    routes, hub = APIRouter(), session.hub

    @routes.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            async for picture in hub.pictures():
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}"
                yield head.encode() + b"\r\n\r\n" + picture + b"\r\n"

        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
        return StreamingResponse(parts(), media_type=kind, headers=FRESH)

    @routes.get("/events")
    async def events() -> StreamingResponse:
        async def states() -> AsyncIterator[str]:
            while not hub.closed:
                yield f"data: {json.dumps(session.report())}\n\n"
                await asyncio.sleep(EVENT_SECONDS)

        return StreamingResponse(states(), media_type="text/event-stream", headers=FRESH)

    @routes.get("/state")
    async def state() -> dict:
        return session.report()

    @routes.get("/choices")
    async def choices(request: Request) -> dict:
        return {"models": models(), "locators": ["auto", *LOCATORS],
                "sources": list(sources(session)),
                "role": request.state.role.name.lower()}  # fmt: skip

    @routes.get("/snapshot")
    async def snapshot() -> Response:
        picture = await asyncio.to_thread(hub.snapshot)
        if picture is None:
            raise UsageError("there is no picture yet")
        name = f"garments-{session.report()['frames']:06d}.jpg"
        return _download(picture, name, kind="image/jpeg")

    @routes.get("/wardrobe")
    async def wardrobe() -> Response:
        if session.wardrobe is None or not session.wardrobe.names:
            raise UsageError("no garment was taught yet: click one")
        return _download(session.wardrobe.to_bytes(), "wardrobe.npz",
                         kind="application/octet-stream")  # fmt: skip

    @routes.get("/healthz")
    async def health() -> PlainTextResponse:
        problem = session.problem
        return PlainTextResponse(problem or "ok", 503 if problem else 200)

    @routes.get("/metrics")
    async def figures() -> Response:
        return Response(metrics(session), media_type=KIND)

    return routes


def _download(content: bytes, name: str, *, kind: str) -> Response:
    header = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=kind, headers=header)
