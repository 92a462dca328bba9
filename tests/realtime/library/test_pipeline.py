"""The loop itself: every frame in order, errors after the frames before them, clean frames."""

import threading
import time
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import make
import numpy as np
import pytest
from waiting import DEADLINE, until

from preprocessing.errors import BrokenSourceError, SinkError, WeightsError
from realtime.analysis import frame_analysis
from realtime.analysis.detection_interval import ByMotion, EveryFrame
from realtime.analysis.frame_analysis import FrameAnalysis
from realtime.analysis.segmenter_locator import UnscoredLocator
from realtime.analysis.tracks import TrackManager
from realtime.library import pipeline
from realtime.runtime.stats import Stats
from realtime.sinks.annotate import Annotator
from realtime.sinks.video import VideoSink
from realtime.sources import pacing
from realtime.sources.open_source import open_source
from realtime.types import Beside, Frame, Region, SourceInfo

FRAMES = 12
CLASSES = ("Dress", "Bag")


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make.clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=FRAMES)


class Collected:
    """A sink that keeps what it gets."""

    def __init__(self, *, needs_picture=False, fails=False):
        self.needs_picture, self._fails = needs_picture, fails
        self.items, self.rows, self.ended = [], [], None

    def open(self, info):
        self.width = info.width

    def write(self, labelled):
        if self._fails:
            raise SinkError("full")
        self.items.append(labelled)
        garments = [(g.track, g.label.name, g.held) for g in labelled.garments]
        self.rows.append((labelled.frame.index, garments))

    def close(self, *, complete):
        self.ended = "complete" if complete else "aborted"


class Calling(UnscoredLocator):
    """A locator that calls a function."""

    def __init__(self, call, streams=1):
        self._call, self.streams = call, streams

    def __call__(self, image):
        return self._call(image)


class Concurrent(UnscoredLocator):
    """A locator for three frames at the same time, none of which ends before all have begun."""

    streams = 3

    def __init__(self):
        self.most = self._busy = 0
        self._changed = threading.Condition()

    def __call__(self, image):
        with self._changed:
            self._busy += 1
            self.most = max(self.most, self._busy)
            self._changed.notify_all()
            if self.most < self.streams:
                self._changed.wait_for(lambda: self.most == self.streams, DEADLINE)
            self._busy -= 1
        return brightest(image)


def brightest(image):
    """One region, at a place that depends on the picture."""
    x = int(image[0, :, 0].argmax()) % 40
    box = np.array([x, 4, x + 12, 30], np.float32)
    return [Region(box, np.full((26, 12), 255, np.uint8))]


def sure(image, regions):
    return np.tile(np.array([0.9, 0.1], np.float32), (len(regions), 1))


def run(
    video, locator=None, *, sink=None, more=(), stats=None, stopped=lambda: False, show=None,
    **stages,
):  # fmt: skip
    sink = sink or Collected()
    tracks = TrackManager(CLASSES, threshold=0.5)
    analysis = FrameAnalysis(
        locator or Calling(brightest), sure, tracks, Annotator(CLASSES), title="", **stages
    )
    with open_source(str(video)) as source:
        pipeline.run(source, analysis, [sink, *more], stats=stats or Stats(), stopped=stopped,
                     show=show, progress=lambda done: None)  # fmt: skip
    return sink


def test_every_frame_comes_out_in_order(video):
    sink = run(video)
    assert [index for index, _ in sink.rows] == list(range(FRAMES))
    assert {name for _, garments in sink.rows for _, name, _ in garments} == {"Dress"}
    assert sink.ended == "complete" and sink.width == 64


class GrowingList(SimpleHTTPRequestHandler):
    """Live HLS: the list has one segment when it is opened, and the rest when it is read again."""

    def log_message(self, *values):
        """Print nothing."""

    def do_GET(self):
        path = Path(self.directory, self.path.lstrip("/"))
        if path.suffix != ".m3u8" or not path.exists():
            return super().do_GET()
        lines = path.read_text().splitlines(keepends=True)
        if not self.server.asked:
            lines = lines[: next(n for n, line in enumerate(lines) if line.endswith(".ts\n")) + 1]
        self.server.asked += 1
        text = "".join(lines).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
        return None


@contextmanager
def growing_hls(folder):
    """The address of 60 frames as live HLS that ends."""
    clip, options = make.clip(folder / "clip.mp4", frames=60), {"hls_time": "1"}
    make.remuxed(clip, folder / "a.m3u8", format="hls", options=options)
    handler = partial(GrowingList, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked = 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/a.m3u8"
        finally:
            server.shutdown()
            thread.join()


def test_segments_that_come_at_once_lose_no_frame(tmp_path, monkeypatch):
    """The analysis is as fast as the stream, not as fast as a segment is read."""
    monkeypatch.setattr(pacing, "PATIENCE", 60.0)  # whatever else this machine does
    stats = Stats()
    with growing_hls(tmp_path) as url:
        seen = run(url, stats=stats)
    assert (stats.read, stats.dropped) == (60, 0)
    assert [item.frame.index for item in seen.items] == list(range(60))
    times = [item.frame.time for item in seen.items]
    assert times == pytest.approx([n / 30 for n in range(60)], abs=1e-4)


def test_nothing_is_drawn_unless_an_output_needs_a_picture(video):
    stats = Stats()
    sink = run(video, stats=stats)
    assert all(item.picture is item.frame.image for item in sink.items)
    assert "draw" not in stats.report()["stages_ms"]


def test_after_a_change_of_size_rows_and_pictures_fit_each_other(tmp_path):
    """Of a video's frames all have the size of the first, and so have the boxes in its rows."""
    images = [make.picture(index) for index in range(6)]
    images[3:] = [np.repeat(np.repeat(image, 2, axis=0), 2, axis=1) for image in images[3:]]
    video = make.jpeg_clip(tmp_path / "in.mkv", images)
    with open_source(str(video)) as source:
        assert {frame.image.shape for frame in source} == {(48, 64, 3), (96, 128, 3)}
    seen = run(video, more=[VideoSink(tmp_path / "out.mp4", audio=False)])
    assert {item.frame.image.shape for item in seen.items} == {(48, 64, 3)}
    written, _ = make.decoded(tmp_path / "out.mp4")
    assert [make.index_of(image) for image in written] == list(range(6))


def test_labels_are_drawn_on_copies_of_read_only_frames(video):
    with open_source(str(video)) as source:
        images = [frame.image for frame in source]
    sink = run(video, sink=Collected(needs_picture=True))
    for item, image in zip(sink.items, images, strict=True):
        assert (item.frame.image == image).all() and (item.picture != image).any()
        with pytest.raises(ValueError, match="read-only"):
            item.frame.image[0] = 0


def test_a_window_sees_every_frame_and_may_end_the_run(video):
    shown = []

    def show(labelled, stopped):
        shown.append(labelled)
        return len(shown) < 5

    sink = Collected()
    with pytest.raises(pipeline.Stopped):
        run(video, sink=sink, show=show)
    assert [item.frame.index for item in shown] == list(range(5)) == [i for i, _ in sink.rows]
    assert all(item.picture is not item.frame.image for item in shown)
    assert sink.ended == "aborted"


@pytest.fixture(params=[2, 8])
def few_or_many_cores(request, monkeypatch):
    """Two, on which one thread analyses and draws, or eight."""
    monkeypatch.setattr(frame_analysis, "cores", lambda: request.param)


@pytest.mark.usefixtures("few_or_many_cores")
@pytest.mark.parametrize("interval", [EveryFrame(), ByMotion(2)])
def test_locating_frames_at_the_same_time_changes_nothing(video, interval):
    locator = Concurrent()
    found = run(video, locator, interval=interval).rows
    assert found == run(video, interval=copy(interval)).rows
    assert locator.most == Concurrent.streams


@pytest.mark.parametrize("streams", [1, 3])
def test_an_error_of_the_locator_is_raised(video, streams):
    seen, sink = [], Collected()

    def locate(image):
        seen.append(1)
        if len(seen) == 5:
            raise WeightsError("broken")
        return brightest(image)

    with pytest.raises(WeightsError, match="broken"):
        run(video, Calling(locate, streams), sink=sink)
    assert 5 <= len(seen) <= 5 + streams
    assert len(sink.rows) == 4 or streams > 1


def test_an_error_of_a_sink_is_raised_and_the_sink_is_closed(video):
    sink = Collected(fails=True)
    with pytest.raises(SinkError, match="full"):
        run(video, sink=sink)
    assert sink.ended == "aborted"


@pytest.mark.usefixtures("few_or_many_cores")
def test_frames_that_were_begun_before_the_source_broke_off_are_kept(tmp_path):
    path = make.clip(tmp_path / "a.mp4", frames=200, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    sink = Collected()
    with pytest.raises(BrokenSourceError) as raised:
        run(path, Concurrent(), sink=sink)
    assert len(sink.rows) > 5 and f"{len(sink.rows)} of 200 frames" in str(raised.value)


def test_optical_flow_bridges_the_frames_between_detections(video):
    detections = []

    def locate(image):
        detections.append(1)
        return brightest(image)

    rows = run(video, Calling(locate), interval=ByMotion(3)).rows
    assert [index for index, _ in rows] == list(range(FRAMES))
    assert len(detections) == FRAMES // 3
    assert all(garments for _, garments in rows)
    assert {track for _, garments in rows for track, _, _ in garments} == {1}


class Camera:
    """A live source of moving pictures; each waits until the one before is in the sinks.

    It gives `frames` of them from the first labelled one on.
    """

    failed = 0

    def __init__(self, sink, *, frames, before_end=lambda: None):
        self._sink, self._frames, self._before_end = sink, frames, before_end
        self.over = False
        self.info = SourceInfo("camera", 64, 48, Fraction(30), Fraction(1, 30), None, live=True)

    def __iter__(self):
        index = 0
        while not self.over and len(labelled_rows(self._sink)) < self._frames:
            image = np.full((48, 64, 3), 40 + 10 * (index % 2), np.uint8)
            yield Frame(image, index, index, Fraction(1, 30), time.monotonic())
            index += 1
            until(lambda index=index: self.over or len(self._sink.items) == index)
        self._before_end()


def labelled_rows(sink):
    return [garments for _, garments in sink.rows if garments]


class Blocking:
    """A locator whose calls after the first wait until they may go on."""

    def __init__(self, problem=None):
        self.may, self.calls, self._problem = threading.Event(), 0, problem

    def __call__(self, image):
        self.calls += 1
        if self.calls > 1:
            assert self.may.wait(DEADLINE)
            if self._problem:
                raise self._problem
        return brightest(image)


def run_live(source, locate, sink, *, stats=None, stopped=lambda: False):
    votes = []

    def classify(image, regions):
        votes.extend(regions)
        return sure(image, regions)

    tracks = TrackManager(CLASSES, threshold=0.5)
    analysis = FrameAnalysis(Calling(locate), classify, tracks, Annotator(CLASSES), title="")
    try:
        pipeline.run(source, analysis, [sink], stats=stats or Stats(), stopped=stopped,
                     progress=lambda done: None)  # fmt: skip
    finally:
        locate.may.set()
        source.over = True
    return votes


def test_frames_of_a_camera_are_drawn_while_the_locator_runs():
    """To the end, which waits for it; labels keep their tracks, votes come from detections only."""
    locate, sink, stats = Blocking(), Collected(), Stats()
    source = Camera(sink, frames=20, before_end=locate.may.set)
    votes = run_live(source, locate, sink, stats=stats)
    assert [index for index, _ in sink.rows] == list(range(len(sink.rows)))
    assert labelled_rows(sink) == 20 * [[(1, "Dress", False)]]
    assert (stats.read, stats.dropped) == (len(sink.rows), 0)
    assert (locate.calls, len(votes)) == (2, 2)
    assert {item.detected for item in sink.items[-20:]} == {sink.items[0].frame.captured}
    assert stats.report()["label_age_ms"]["count"] >= 20


def test_an_error_beside_the_frames_is_raised_at_the_next_one_or_at_the_end():
    locate, sink = Blocking(WeightsError("broken")), Collected()
    with pytest.raises(WeightsError, match="broken"):
        run_live(Camera(sink, frames=20, before_end=locate.may.set), locate, sink)
    assert len(labelled_rows(sink)) == 20 and sink.ended == "aborted"
    locate, sink = Blocking(WeightsError("broken")), Collected()
    locate.may.set()
    with pytest.raises(WeightsError, match="broken"):
        run_live(Camera(sink, frames=10**6), locate, sink)
    assert sink.rows and sink.ended == "aborted"


def test_a_camera_is_ended_while_the_locator_runs():
    locate, sink = Blocking(), Collected()

    def stopped():
        if len(labelled_rows(sink)) < 8:
            return False
        locate.may.set()
        return True

    with pytest.raises(pipeline.Stopped):
        run_live(Camera(sink, frames=10**6), locate, sink, stopped=stopped)
    assert len(labelled_rows(sink)) == 8


def test_what_is_written_of_a_file_waits_for_its_labels():
    """So does what is shown beside it; only a file that is shown and not kept does not."""
    info = SourceInfo("file", 64, 48, None, Fraction(1), None, live=False)
    page = Collected()
    page.newest = True
    assert pipeline._beside(info, [Collected(), page], shown=False) is Beside.NEVER
    assert pipeline._beside(info, [Collected()], shown=True) is Beside.NEVER
    assert pipeline._beside(info, [], shown=False) is Beside.NEVER
    assert pipeline._beside(info, [page], shown=False) is Beside.WITHIN_A_SCENE
    assert pipeline._beside(info, [], shown=True) is Beside.WITHIN_A_SCENE
    assert pipeline._beside(replace(info, live=True), [page], shown=True) is Beside.ALWAYS
