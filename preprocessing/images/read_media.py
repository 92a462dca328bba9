"""Pictures from a path of any kind: a picture file, a folder of pictures, or a video."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from preprocessing.errors import DataError
from preprocessing.images.pictures import SUFFIXES, picture_paths, read_picture


def read_media(
    source: Path, *, step: int = 1, bad: list[str] | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """Names and BGR pictures uint8 (H, W, 3), in the order of the folder or of the video.

    Args:
        step: take every n-th frame of a video; its frames are named "frame-000042".
        bad: collects a line for each picture of a folder that cannot be read; None to raise.

    Raises:
        DataError: no such file, no picture in the folder, or one that cannot be read.
    """
    if source.is_dir():
        paths = picture_paths(source)
        if not paths:
            raise DataError(f"no pictures in {source}")
        for path in paths:
            try:
                image = read_picture(path)
            except DataError as error:
                if bad is None:
                    raise
                bad.append(str(error))
                continue
            yield str(path.relative_to(source)), image
    elif source.suffix.lower() in SUFFIXES:
        yield source.name, read_picture(source)
    else:
        yield from _frames(source, step)


def _frames(source: Path, step: int) -> Iterator[tuple[str, np.ndarray]]:
    try:
        with av.open(str(source), metadata_errors="replace") as container:
            if not container.streams.video:
                raise DataError(f"{source} has no video stream")
            for number, frame in enumerate(container.decode(video=0)):
                if number % step == 0:
                    yield f"frame-{number:06d}", frame.to_ndarray(format="bgr24")
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"cannot read {source}: neither a picture nor a video ({error})") from error
