"""Colours by the file's own matrix and range, both ways, at every size and depth; HDR as SDR."""

import av
import cv2
import make
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from realtime.colours.tone_mapping import EXACT
from realtime.colours.yuv import BgrConverter, colours_of, to_i420
from realtime.sinks.video import VideoSink
from realtime.sources.open_source import open_source
from realtime.types import Colours

EVEN, ODD = (64, 48), (63, 47)
# BGR (30, 60, 200) by matrix and range (ITU-R BT.601, 709 and 2020), rounded to codes of 8 bits.
COLOUR = (30, 60, 200)
CODES = {
    (6, False): (101, 94, 192), (5, True): (98, 89, 200), (2, False): (101, 94, 192),
    (1, False): (91, 101, 191), (1, True): (88, 97, 199), (9, False): (98, 98, 191),
    (9, True): (95, 93, 199),
}  # fmt: skip


def middle(image):
    return image[image.shape[0] // 2, image.shape[1] // 2].astype(int)


def labelled(path, out):
    """The colour that the app sees, and the first frame of the video that it writes."""
    with open_source(str(path)) as source:
        frames = list(source)
        writable = [make.labelled(frame.index, image=frame.image) for frame in frames]
        make.write_all(VideoSink(out, audio=False), *writable, source=source.info)
    with av.open(str(out)) as container:
        return middle(frames[0].image), next(container.decode(video=0))


def codes_of(frame):
    """The codes in the middle of a frame's planes."""
    rows = [np.frombuffer(p, np.uint8).reshape(p.height, p.line_size) for p in frame.planes]
    return np.array([plane[len(plane) // 2, plane.shape[1] // 4] for plane in rows], int)


@pytest.mark.parametrize(
    ("matrix", "full", "pix_fmt", "size"),
    [
        *((matrix, full, "yuv420p", EVEN) for matrix, full in CODES),
        (6, False, "yuv420p", ODD),
        (1, False, "yuv420p", ODD),
        (9, True, "yuv420p", (63, 48)),
        (1, True, "yuv422p", EVEN),
        (9, False, "yuv444p", EVEN),
        (1, True, "yuv422p10le", ODD),
        (1, False, "yuv444p10le", EVEN),
        (9, False, "yuv420p10le", EVEN),
    ],
)
def test_one_matrix_both_ways(tmp_path, matrix, full, pix_fmt, size):
    path = make.flat_clip(
        tmp_path / "in.mkv", CODES[matrix, full], size=size, pix_fmt=pix_fmt,
        colours=(matrix, 1, 1), full=full,
    )  # fmt: skip
    seen, written = labelled(path, tmp_path / "out.mp4")
    assert abs(seen - COLOUR).max() <= 1
    assert abs(middle(BgrConverter()(written)) - seen).max() <= 2
    assert (written.colorspace, written.color_range) == (matrix, 1)
    limited = CODES[matrix, False] if matrix != 5 else CODES[6, False]
    assert abs(codes_of(written) - limited).max() <= 1


@pytest.mark.parametrize("matrix", [6, 1, 9])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "nv12"])  # nv12 is what graphics cards decode to
def test_colours_of_a_graphics_cards_pictures_are_those_of_the_cpus(matrix, pix_fmt):
    smooth = cv2.resize(np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5, (80, 64))
    picture = av.VideoFrame.from_ndarray(smooth, "bgr24").reformat(
        format="yuv420p", dst_colorspace=matrix if matrix != 6 else 5
    )
    picture.colorspace, picture.color_range = matrix, 1
    exact = VideoReformatter().reformat(picture, format="bgr24", interpolation=EXACT).to_ndarray()
    given = picture.reformat(format=pix_fmt)
    given.colorspace, given.color_range = matrix, 1
    assert abs(BgrConverter()(given).astype(int) - exact).max() <= 6  # OpenCV repeats chroma
    assert abs(BgrConverter()(given).astype(int) - smooth).mean() < 2.5


def test_rgb_is_encoded_by_a_matrix_that_is_named(tmp_path):
    path = make.flat_clip(tmp_path / "in.mkv", COLOUR, size=ODD, codec="libx264rgb",
                          pix_fmt="bgr0", colours=(0, 2, 2), full=True)  # fmt: skip
    seen, written = labelled(path, tmp_path / "out.mp4")
    assert abs(seen - COLOUR).max() <= 2
    assert (written.colorspace, written.color_range) == (6, 1)
    assert abs(middle(BgrConverter()(written)) - COLOUR).max() <= 3


def test_codes_of_a_rare_matrix_come_out_as_they_came_in(tmp_path):
    path = make.flat_clip(tmp_path / "in.mkv", (101, 90, 150), colours=(8, 1, 1))  # YCgCo
    _, written = labelled(path, tmp_path / "out.mp4")
    assert abs(codes_of(written) - (101, 90, 150)).max() <= 1 and written.colorspace == 8


def test_pictures_and_cameras_are_encoded_as_srgb(tmp_path):
    image = np.full((48, 64, 3), COLOUR, np.uint8)
    sink = VideoSink(tmp_path / "out.mp4", audio=False)
    make.write_all(sink, *(make.labelled(index, image=image) for index in range(3)))
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (6, 1, 13)


def test_chroma_is_the_mean_of_four_pixels():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0] = 255
    planes = np.empty((3, 2), np.uint8)
    to_i420(image, matrix=1, out=planes)
    assert planes.tolist() == [[235, 16], [16, 16], [128, 128]]


def test_hdr_becomes_sdr():
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    luma = np.frombuffer(frame.planes[0], np.uint16).reshape(48, -1)
    luma[:, :32], luma[:, 32:] = 572, 64  # paper, 203 cd/m2, and black
    for plane in frame.planes[1:]:
        np.frombuffer(plane, np.uint16)[:] = 512
    frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range = 9, 9, 16, 1
    image = BgrConverter()(frame)
    assert abs(image[24, 8].astype(int) - 226).max() <= 2 and image[24, 60].max() <= 1
    assert colours_of(frame) == Colours(*make.BT709)
