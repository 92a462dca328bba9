"""Reads picture files upright and in BGR, and frames of videos; writes picture files."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from preprocessing.errors import DataError, SinkError
from preprocessing.files import media_url, natural_key, write_whole
from preprocessing.images.picture_kinds import ANIMATED_KINDS, SUFFIXES, is_picture, kind_of

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

TRANSPARENT = (255, 255, 255)  # what shows behind transparent pixels
ANIMATIONS = ("GIF", "WEBP", "PNG", "AVIF")  # of Pillow's formats; others hold pages or thumbnails
# Browsers take ten milliseconds and less for a mistake.
SHORTEST, DEFAULT_LENGTH = 0.010, 0.100  # seconds of a frame
# What Pillow raises for damaged files.
DAMAGE = (OSError, EOFError, SyntaxError, ValueError, struct.error)


def picture_paths(folder: Path) -> list[Path]:
    """The picture files in a folder and its subfolders, sorted.

    Not in natural order: the recipes of data sets draw from them by number.
    """
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def read_picture(path: Path) -> np.ndarray:
    """Read a picture file as BGR uint8 (H, W, 3).

    Its EXIF orientation is applied, 16 bits become 8, transparent pixels become white, and of an
    animation the first frame is read.

    Raises:
        DataError: the file is missing, damaged or truncated, or a package for its kind is missing.
    """
    return next(picture_frames(path)).image


@dataclass(frozen=True, eq=False)
class PictureFrame:
    """A picture, or a frame of an animation.

    Attributes:
        image: BGR uint8 (H, W, 3).
        seconds: for which an animation shows it; None for a still picture.
    """

    image: np.ndarray
    seconds: float | None


def picture_frames(path: Path) -> Iterator[PictureFrame]:
    """Read a picture as `read_picture` does, but of an animation every frame.

    Raises:
        DataError: as `read_picture`; of a damaged animation after its whole frames.
    """
    with _opened(path) as file:
        for number in _shown_frames(file):
            file.seek(number)
            image = bgr_of(file)
            seconds = float(file.info.get("duration") or 0) / 1000  # known once it is decoded
            if not _animated(file):
                yield PictureFrame(image, None)
            else:
                yield PictureFrame(image, seconds if seconds > SHORTEST else DEFAULT_LENGTH)


def frame_count(path: Path) -> int:
    """The frames of an animation; 1 for still pictures.

    Raises:
        DataError: as `read_picture`.
    """
    if kind_of(path) not in ANIMATED_KINDS:
        return 1
    with _opened(path) as file:
        return len(_shown_frames(file))


def _animated(file: "ImageFile") -> bool:
    return file.format in ANIMATIONS and getattr(file, "n_frames", 1) > 1


def _shown_frames(file: "ImageFile") -> range:
    """The numbers of the frames; a PNG may begin with one for those who show no animations."""
    if not _animated(file):
        return range(1)
    return range(1 if file.info.get("default_image") else 0, getattr(file, "n_frames", 1))


@contextmanager
def _opened(path: Path) -> Iterator["ImageFile"]:
    """Open a picture file; errors of reading it inside the block become DataError."""
    from PIL import Image  # 60 ms, which a program that reads no pictures saves

    try:
        with _identified(path) as file:
            yield file
    except FileNotFoundError as error:
        raise DataError(f"no picture {path}") from error
    except (*DAMAGE, Image.DecompressionBombError) as error:
        raise DataError(f"cannot read {path} ({error})") from error


def _identified(path: Path) -> "ImageFile":
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        kind = kind_of(path)
        if kind == "avif":
            raise DataError(f"cannot read {path}: AVIF needs pip install -U pillow") from error
        if kind != "heic":
            raise
        try:
            from pillow_heif import register_heif_opener
        except ImportError:
            needed = "HEIC needs pip install pillow-heif"
            raise DataError(f"cannot read {path}: {needed}") from error
        register_heif_opener()
        return Image.open(path)


def bgr_of(picture: "Image") -> np.ndarray:
    """Return a PIL image as `read_picture` gives a file: BGR uint8 (H, W, 3), upright, opaque."""
    from PIL import ImageOps

    rgb = np.asarray(_rgb(ImageOps.exif_transpose(picture)))
    return np.ascontiguousarray(rgb[..., ::-1])


def _rgb(picture: "Image") -> "Image":
    from PIL import Image

    if picture.mode.startswith("I"):  # 16 bits in 16 or 32; Pillow would clip them
        grey = np.clip(np.asarray(picture, np.float64) / 257, 0, 255)
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, TRANSPARENT), picture)
    return picture.convert("RGB")


def read_media(
    source: Path, *, step: int = 1, bad: list[str] | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """Names and BGR pictures uint8 (H, W, 3), in natural order or in that of the video.

    Args:
        step: take every n-th frame of a video or animation; its frames are named "frame-000042".
        bad: collects a line for each picture of a folder that cannot be read; None to raise.

    Raises:
        DataError: no such file, no picture in the folder, or one that cannot be read.
    """
    if source.is_dir():
        paths = sorted(picture_paths(source), key=natural_key)
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
    elif not is_picture(source):
        yield from _frames(source, step)
    elif frame_count(source) > 1:
        for number, frame in enumerate(picture_frames(source)):
            if number % step == 0:
                yield f"frame-{number:06d}", frame.image
    else:
        yield source.name, read_picture(source)


def _frames(source: Path, step: int) -> Iterator[tuple[str, np.ndarray]]:
    import av  # not needed for pictures

    try:
        with av.open(media_url(source), metadata_errors="replace") as container:
            if not container.streams.video:
                raise DataError(f"{source} has no video stream")
            for number, frame in enumerate(container.decode(video=0)):
                if number % step == 0:
                    yield f"frame-{number:06d}", frame.to_ndarray(format="bgr24")
    except (av.FFmpegError, OSError) as error:
        raise DataError(f"cannot read {source}: neither a picture nor a video ({error})") from error


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image file, in the format of its suffix; missing folders are made.

    A file that is there is replaced once the new one is whole.

    Args:
        image: uint8 (H, W) grey or (H, W, 3) BGR.

    Raises:
        SinkError: the file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done, data = cv2.imencode(path.suffix or ".png", image)
        if not done:
            raise SinkError(f"cannot encode {path}: use a .png or .jpg name")
        write_whole(path, data.tobytes())
    except (OSError, cv2.error) as error:
        raise SinkError(f"cannot write {path}: {error}") from error
