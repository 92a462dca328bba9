"""Events and frames with them, and a web server that takes events and answers as it is asked to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import make

from realtime.types import Event, LabelledFrame, Worn


def event(number: int, kind: str = "entered", **more) -> Event:
    values = {"person": 3, "garments": (Worn("coat", "red", 7),), "place": "floor"}
    return Event(f"run-{number:06d}", kind, number, number / 10, 1e9, "in.mp4", **values | more)


def frame_with(*events: Event, index: int = 0) -> LabelledFrame:
    return replace(make.labelled(index), events=events)


class Receiver:
    """What came: bodies and headers of those that were answered by 2xx in `taken`."""

    def __init__(self, answer: Callable[[int], int], *, port: int = 0):
        self.requests, self.taken, self._answer = 0, [], answer
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests += 1
                status = outer._answer(outer.requests)
                if 200 <= status < 300:
                    outer.taken.append((body, {k.lower(): v for k, v in self.headers.items()}))
                if status:
                    self.send_response(status)
                    self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def receiving(answer: Callable[[int], int] = lambda count: 204, *, port: int = 0) -> Iterator:
    receiver = Receiver(answer, port=port)
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
