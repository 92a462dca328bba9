"""Pictures as the library takes them, to the BGR arrays that the analysis takes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Union

import numpy as np

from preprocessing.errors import DataError, UsageError
from preprocessing.images.picture_kinds import is_picture
from preprocessing.images.pictures import bgr_of, read_picture

if TYPE_CHECKING:
    from PIL.Image import Image

# A file, an array BGR uint8 (H, W, 3), or a PIL image.
Picture = Union[str, "os.PathLike[str]", np.ndarray, "Image"]


def to_bgr(picture: Picture) -> np.ndarray:
    """Return a picture as BGR uint8 (H, W, 3), upright, in memory of its own.

    Files and PIL images are turned by their EXIF orientation, and what is transparent becomes
    white; of an animation the first frame is taken. An array is taken as it is: BGR, as OpenCV has
    it.

    Raises:
        UsageError: it is no picture, or an array of another form.
        DataError: the file is missing, damaged or no picture.
    """
    if isinstance(picture, np.ndarray):
        return _copied(picture)
    if isinstance(picture, (str, os.PathLike)):
        return _read(Path(picture))
    if hasattr(picture, "getexif"):
        return bgr_of(picture)
    raise UsageError("a picture must be a path, a BGR array uint8 (H, W, 3) or a PIL image, "
                     f"got {type(picture).__name__}")  # fmt: skip


def _copied(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        hint = {(np.dtype(np.uint8), 2): "cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) makes it one",
                (np.dtype(np.uint8), 3): "PIL.Image.fromarray(image) takes RGB and RGBA",
                }.get((array.dtype, array.ndim), "floats from 0 to 1 are (255 * image).astype('u1')"
                      )  # fmt: skip
        raise UsageError("an array must be BGR uint8 (H, W, 3), got "
                         f"{array.dtype} {array.shape}: {hint}")  # fmt: skip
    return np.array(array, order="C")


def _read(path: Path) -> np.ndarray:
    if path.is_dir():
        raise DataError(f"{path} is a folder: track() takes a folder of pictures")
    if path.is_file() and not is_picture(path):
        raise DataError(f"{path} is no picture: track() takes videos")
    return read_picture(path)
