"""Random requests to the page: they know every route, and none of them does harm."""

import random

from realtime.bench.live.fuzz import fuzz
from realtime.bench.live.odd_requests import CAMERA, ROUTES, Drawer
from realtime.page.guard import Guard
from realtime.page.server import STATIC, make_app
from realtime.page.session import Session
from realtime.settings import Recognition, Settings


def test_no_request_does_harm(tmp_path):
    report, harmless = fuzz(tmp_path, seed=27, requests=40)
    assert harmless, report


def test_every_route_is_asked():
    session = Session(
        Settings(recognition=Recognition(model="deep", locator="segment")), address=None
    )
    paths = make_app(session, Guard({}, local=True)).openapi()["paths"]
    session.close()
    known = {path: method.upper() for path, methods in paths.items() for method in methods}
    assert known.items() <= ROUTES.items()
    files = {f"/{path.name}" for path in STATIC.iterdir()}
    assert ROUTES.keys() - known.keys() == {"/", CAMERA, *files}


def test_a_seed_draws_the_same_again():
    drawn = [
        [drawer.request() for _ in range(200)]
        for drawer in (Drawer(random.Random(1), {"admin": "secret"}, 80) for _ in range(2))
    ]
    assert drawn[0] == drawn[1] and {one.route for one in drawn[0]} == set(ROUTES)
