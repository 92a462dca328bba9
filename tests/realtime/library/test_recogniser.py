"""The library: the answers of the command line, sources that are closed, threads, lazy names."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import make
import numpy as np
import pytest
from fault import LIGHT
from PIL import Image

import realtime
from preprocessing.errors import SourceError, UsageError, WeightsError
from realtime import Recogniser
from realtime.settings import Recognition
from realtime.types import LabelledFrame

PERSON = make.ROOT / "realtime" / "page" / "labelled.jpg"


@pytest.fixture(scope="module")
def recognise():
    return Recogniser(model="deep", locator="segment")


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    """A scene that its EXIF orientation turns upright."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees, clockwise
    path = tmp_path_factory.mktemp("turned") / "turned.png"
    Image.fromarray(np.rot90(make.scene())[..., ::-1]).save(path, exif=exif)
    return path


def rows_of_the_app(source, folder, *flags):
    make.called(source, "--jsonl", folder / "rows.jsonl", *flags)
    return (folder / "rows.jsonl").read_text()


def test_a_picture_has_the_rows_of_the_command_line(recognise, turned, tmp_path):
    wanted = rows_of_the_app(turned, tmp_path, *LIGHT)
    garments = recognise(turned)
    assert garments.to_json(lines=True) == wanted != ""
    assert garments.boxes[0] == pytest.approx([64, 48, 256, 192], abs=12)  # upright again
    assert recognise(Image.open(turned)).to_json(lines=True) == wanted
    assert recognise(make.scene()).to_json(lines=True) == wanted
    assert recognise(str(turned)).to_json(lines=True) == wanted


def test_people_have_the_rows_of_the_command_line(tmp_path):
    wanted = rows_of_the_app(PERSON, tmp_path, "--colour")
    garments = Recogniser(colour=True)(PERSON)
    assert garments.to_json(lines=True) == wanted != ""
    assert garments.persons[0] == 1 and garments.paths[0][0][0] == "garment"


@pytest.mark.parametrize("flags", [LIGHT, (*LIGHT, "--start", "0:00.5", "--end", "1")])
def test_a_clip_has_the_rows_of_the_command_line(recognise, tmp_path, flags):
    clip = make.moving_clip(tmp_path / "in.mp4")
    wanted = rows_of_the_app(clip, tmp_path, *flags)
    part = {"start": "0:00.5", "end": 1.0} if "--start" in flags else {}
    found = list(recognise.track(clip, **part))
    assert "".join(garments.to_json(lines=True) for _, garments in found) == wanted
    assert [frame.index for frame, _ in found] == list(range(15 if part else 40))
    assert {number for _, garments in found for number in garments.tracks} == {1}


def test_every_kind_of_source_is_taken(recognise, tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), make.scene())
    assert [len(garments) for _, garments in recognise.track(tmp_path)] == [1, 1, 1]
    simulated = recognise.track("fake://30fps", end=0.1)
    assert all(frame.image.shape[2] == 3 for frame, _ in simulated)


def test_who_leaves_the_loop_closes_the_source(recognise, tmp_path):
    clip = make.moving_clip(tmp_path / "in.mp4", repeats=20)
    before = threading.active_count()
    for frame, _ in recognise.track(clip):
        if frame.index == 3:
            break
    del frame
    assert threading.active_count() == before
    frames = recognise.track("fake://30fps")
    next(frames)
    frames.close()
    assert list(frames) == [] and threading.active_count() == before


def test_threads_get_the_answers_of_one(recognise):
    scenes = [make.scene(ground=ground) for ground in (225, 200, 180, 160)] * 2
    wanted = [recognise(scene).names for scene in scenes]
    with ThreadPoolExecutor(4) as pool:
        assert [found.names for found in pool.map(recognise, scenes)] == wanted


def test_pictures_are_labelled_on_a_copy(recognise):
    scene = make.scene()
    garments = recognise(scene)
    assert scene.flags.writeable and not garments.image.flags.writeable
    picture = recognise.annotate(scene, garments)
    assert (scene == make.scene()).all() and (picture != scene).any()
    assert (picture == garments.picture).all()
    assert (recognise.annotate(scene, garments[:0]) == scene).all()


def test_sinks_of_one_s_own(recognise, tmp_path):
    class Counter:
        needs_picture = True
        frames, complete = 0, None

        def open(self, info):
            assert info.width == 320

        def write(self, labelled: LabelledFrame):
            self.frames += (labelled.picture != labelled.frame.image).any()

        def close(self, *, complete):
            self.complete = complete

    counter = Counter()
    stats = recognise.run(make.moving_clip(tmp_path / "in.mp4"), [counter], end=0.5)
    assert (counter.frames, counter.complete, stats.written) == (15, True, 15)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"model": "none"}, WeightsError, "none"),
        ({"locator": "nowhere"}, UsageError, "locator must be one of auto, segment, "),
        ({"device": "toaster"}, UsageError, "device must be a device: auto, cpu"),
        ({"label_threshold": 2.0}, UsageError, "0 to 1, got 2"),
        ({"model": "deep", "locator": "segment", "only": ("top",)}, UsageError, "--only"),
    ],
)
def test_settings_that_cannot_be(options, error, words):
    with pytest.raises(error, match=words):
        Recogniser(**options)
    if error is UsageError and "label_threshold" not in options:
        with pytest.raises(error, match=words):
            Recogniser(Recognition(**options))


@pytest.mark.parametrize(
    ("source", "options", "error", "words"),
    [
        ("missing.mp4", {}, SourceError, "no such file"),
        ("in.mp4", {"end": "soon"}, UsageError, "end must be seconds or h:mm:ss, got 'soon'"),
        ("in.mp4", {"every": 0}, UsageError, "every must be above 0, got 0"),
        (-1, {}, UsageError, "--camera must be 0 or more"),
    ],
)
def test_sources_that_cannot_be(recognise, source, options, error, words):
    with pytest.raises(error, match=words):
        next(recognise.track(source, **options))


def test_the_package_is_imported_without_the_networks():
    code = ("import sys, realtime; assert 'numpy' not in sys.modules; "
            "assert {'Recogniser', 'Garments', '__version__'} <= set(dir(realtime)); "
            "from realtime import Recogniser; assert 'torch' not in sys.modules; "
            "assert not {'pandas', 'polars', 'supervision'} & set(sys.modules)")  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, cwd=make.ROOT)
    with pytest.raises(AttributeError, match="no attribute 'Recognizer'"):
        _ = realtime.Recognizer
