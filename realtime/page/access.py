"""Middleware that lets only those use the page whom its guard accepts."""

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from realtime.page.guard import Credentials, Guard, Refusal, Role, cookie_of

COOKIE = "garments"
OPEN_PATHS = ("/healthz",)  # for those who watch the service
SEEING = ("GET", "HEAD")  # methods that change nothing
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Guarded:
    """Drops the requests, HTTP and WebSocket, that the guard refuses.

    A token in the address becomes a cookie of this port. The role is in the scope's state.
    """

    def __init__(self, app: ASGIApp, guard: Guard):
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        request = HTTPConnection(scope)
        given = _credentials(request)
        if refusal := self._refusal(request, given):
            return await _refuse(refusal, scope, receive, send)
        scope.setdefault("state", {})["role"] = self._guard.role(given)
        token = request.query_params.get("token")
        if token and scope["type"] == "http" and scope["method"] in SEEING:
            return await _move_token(request, token)(scope, receive, send)
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, request: HTTPConnection, given: Credentials) -> Refusal | None:
        if request.url.path in OPEN_PATHS:
            return None
        sees = request.scope["type"] == "http" and request.scope["method"] in SEEING
        needed = Role.VIEWER if sees else Role.ADMIN
        return self._guard.refusal(request.headers, given, needed=needed)


def _credentials(request: HTTPConnection) -> Credentials:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = request.query_params.get("token", "")
    return Credentials(
        token=token or (bearer.strip() if scheme.lower() == "bearer" else ""),
        cookie=request.cookies.get(_cookie_name(request), ""),
        caller=request.client.host if request.client else "",
    )


def _cookie_name(request: HTTPConnection) -> str:
    """A name for each port: browsers send cookies to all ports of a host."""
    _, port = request.scope.get("server") or ("", 0)
    return f"{COOKIE}-{port}"


def _move_token(request: HTTPConnection, token: str) -> RedirectResponse:
    """Send the browser to the same path without its token, which stays as a cookie."""
    path = request.url.path.lstrip("/\\")  # "//host" and "/\host" would be another site
    response = RedirectResponse(f"/{path}", 303)
    response.set_cookie(_cookie_name(request), cookie_of(token), httponly=True, samesite="strict",
                        secure=request.url.scheme == "https")  # fmt: skip
    return response


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        return await WebSocket(scope, receive, send).close(1008, refusal.reason)
    await JSONResponse({"error": refusal.reason}, refusal.status)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds HEADERS, which restrict what a browser does with the page."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return sent
