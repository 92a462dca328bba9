"""The cameras of this machine, by number and name, and how one is asked for a size and a rate.

Names and numbers come from the system: V4L2 on Linux, DirectShow on Windows, AVFoundation on macOS.
"""

import importlib.util
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preprocessing.errors import SourceError

if TYPE_CHECKING:
    import cv2
    import numpy as np

NAMES, DEVICES = Path("/sys/class/video4linux"), Path("/dev")  # on Linux
DEVICE = re.compile(r"/dev/video(\d+)")
SIZE = re.compile(r"(\d{1,5})[xX*](\d{1,5})")
USUAL_SIZES = ((320, 240), (640, 360), (640, 480), (800, 600), (1280, 720), (1280, 960),
               (1920, 1080), (2560, 1440), (3840, 2160))  # fmt: skip
RATE_TOLERANCE = 0.5  # frames a second: 29.97 is 30
LIBRARY = "cv2_enumerate_cameras"  # names and numbers as OpenCV counts, on Windows and macOS
# Names that OpenCV and FFmpeg give to a camera's formats, and how those are written here.
FORMATS = {"MJPEG": "MJPG", "JPEG": "MJPG", "YUY2": "YUYV", "YUYV422": "YUYV"}


@dataclass(frozen=True)
class Camera:
    """A camera of this machine.

    Attributes:
        number: as OpenCV's backend counts.
        name: of the device; "" if the system gives none.
        path: of the device file on Linux, else "".
    """

    number: int
    name: str = ""
    path: str = ""

    def __str__(self) -> str:
        return f"{self.number} ({self.name})" if self.name else str(self.number)


@dataclass(frozen=True, kw_only=True)
class CameraMode:
    """A size, rate and format that a camera is asked for; None for its own choice.

    Attributes:
        size: width and height in pixels.
        rate: frames a second.
        code: four letters of the format in which it sends pictures, such as MJPG or YUYV.
    """

    size: tuple[int, int] | None = None
    rate: float | None = None
    code: str | None = None

    def __bool__(self) -> bool:
        """True if anything is asked for."""
        return bool(self.size or self.rate or self.code)

    def __str__(self) -> str:
        words = (f"{self.size[0]}x{self.size[1]}" if self.size else "",
                 f"{self.rate:g} fps" if self.rate else "", self.code or "")  # fmt: skip
        return " ".join(filter(None, words))


def read_size(text: str) -> tuple[int, int]:
    """Return width and height of "1280x720".

    Raises:
        ValueError: it is no size.
    """
    found = SIZE.fullmatch(text.strip())
    if found is None or not int(found[1]) or not int(found[2]):
        raise ValueError(text)
    return int(found[1]), int(found[2])


def read_format(text: str) -> str:
    """Return the four letters of a camera's format.

    Raises:
        ValueError: they are not four.
    """
    code = FORMATS.get(text.upper(), text.upper())
    if len(code) != 4 or not code.isascii():
        raise ValueError(text)
    return code


def backend() -> int | None:
    """OpenCV's number of the system's own camera backend; None where it has but one."""
    import cv2

    return {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform)


def are_listed() -> bool:
    """True if this system's cameras are known without opening them."""
    return sys.platform not in ("win32", "darwin") or bool(importlib.util.find_spec(LIBRARY))


def cameras() -> list[Camera]:
    """Return the cameras in the order of their numbers; none where they are not listed."""
    found = _of_system() if sys.platform not in ("win32", "darwin") else _of_library()
    return sorted(found, key=lambda camera: camera.number)


def _of_system() -> list[Camera]:
    """The capture devices of V4L2; those with another index of one camera give its metadata."""
    named = [
        Camera(int(number), _text(folder / "name"), f"{DEVICES}/{folder.name}")
        for folder in NAMES.glob("video*")
        if (number := folder.name.removeprefix("video")).isdecimal()
        and _text(folder / "index") in ("", "0")
    ]
    files = ((path, path.name.removeprefix("video")) for path in DEVICES.glob("video*"))
    return named or [Camera(int(n), path=str(path)) for path, n in files if n.isdecimal()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _of_library() -> list[Camera]:
    if not are_listed():
        return []
    from cv2_enumerate_cameras import enumerate_cameras

    return [Camera(one.index, one.name) for one in enumerate_cameras(backend())]


def camera_number(text: str) -> int:
    """Return the number of "0", "/dev/video0", a link to it, or a name or a part of one.

    Raises:
        SourceError: no camera has that name, or several have.
    """
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if (number := device_number(text)) is not None:
        return number
    have, wanted = cameras(), text.casefold()
    exact = [camera for camera in have if camera.name.casefold() == wanted]
    found = exact or [camera for camera in have if wanted in camera.name.casefold()]
    if len(found) == 1:
        return found[0].number
    if found:
        raise SourceError(f"{len(found)} cameras are named {text}: choose --camera "
                          f"{' or '.join(str(camera.number) for camera in found)}")  # fmt: skip
    raise SourceError(f"no camera {text}: {those_there(have)}")


def device_number(text: str) -> int | None:
    """The number of a device file /dev/videoN, or of a link to one; None for any other text."""
    for path in (text, os.path.realpath(text)) if text.startswith("/dev/") else ():
        if found := DEVICE.fullmatch(path):
            return int(found[1])
    return None


def those_there(have: list[Camera]) -> str:
    """The cameras of this machine in words, and how to choose one."""
    if have:
        return f"have {', '.join(map(str, have))}; choose with --camera N or NAME"
    if not are_listed():
        return "`pip install cv2-enumerate-cameras` lists those of this machine by name"
    return "this machine has none; use --video FILE or --demo"


def why_no_camera(number: int) -> str:
    """Return why a camera does not open, and what helps."""
    have = cameras()
    device = DEVICES / f"video{number}"
    if not device.exists():
        if all(camera.number != number for camera in have):
            return f"no camera {number}: {those_there(have)}"
        return (f"camera {number} does not open: close what else uses it, and allow its use in the "
                "system's settings")  # fmt: skip
    try:
        device.open("rb").close()
    except PermissionError:
        return f"no permission to open {device}: add yourself to the group `video`"
    except OSError as error:
        return f"camera {number} does not open ({error.strerror}): close what else uses it"
    return f"camera {number} is busy or gives no pictures: close what else uses it"


def opened_capture(number: int) -> "cv2.VideoCapture":
    """Open a camera on the system's own backend; it may fail, see `isOpened`.

    Where that cannot open the only camera of a machine, OpenCV tries its others, such as Media
    Foundation on Windows, which may count cameras in another order.
    """
    import cv2

    if (system := backend()) is None:
        return cv2.VideoCapture(number)
    capture = cv2.VideoCapture(number, system)
    return capture if capture.isOpened() or len(cameras()) > 1 else cv2.VideoCapture(number)


def set_mode(capture: "cv2.VideoCapture", mode: CameraMode) -> None:
    """Ask a camera for a mode; the format comes first, since sizes and rates depend on it."""
    import cv2

    if mode.code:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*mode.code))
    if mode.size:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, mode.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, mode.size[1])
    if mode.rate:
        capture.set(cv2.CAP_PROP_FPS, mode.rate)


def given_mode(capture: "cv2.VideoCapture", image: "np.ndarray | None" = None) -> CameraMode:
    """The mode of an open camera, by its driver, and by the size of an image (H, W, 3) from it."""
    import cv2

    keys = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FOURCC
    width, height, code = (int(capture.get(key)) for key in keys)
    if image is not None:
        height, width = image.shape[:2]
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    letters = code.to_bytes(4, "little").decode("latin-1") if 0 < code < 2**32 else ""
    return CameraMode(
        size=(width, height) if width > 0 and height > 0 else None,
        rate=rate if rate > 0 else None,
        code=FORMATS.get(letters, letters) if letters and letters.isprintable() else None,
    )


def difference(given: CameraMode, wanted: CameraMode, sizes: Sequence[tuple[int, int]]) -> str:
    """Say in what a mode differs from what was wanted, and what to try; "" if it does not.

    Args:
        sizes: that the camera has.
    """
    advice = []
    wrong_code = wanted.code and given.code and wanted.code != given.code
    if wanted.size and given.size and wanted.size != given.size:
        advice.append("--camera-size " + ", ".join(f"{w}x{h}" for w, h in sizes or [given.size]))
    if wrong_code:
        advice.append(f"--camera-format {given.code}")
    elif wanted.rate and given.rate and abs(given.rate - wanted.rate) > RATE_TOLERANCE:
        advice.append("a smaller --camera-size" if wanted.code else "--camera-format MJPG")
    return f"gives {given}, wanted {wanted}: try {' or '.join(advice)}" if advice else ""


def sizes_of(capture: "cv2.VideoCapture") -> list[tuple[int, int]]:
    """The usual sizes in which an open camera gives pictures; it is left in the last of them."""
    found = []
    for width, height in USUAL_SIZES:
        set_mode(capture, CameraMode(size=(width, height)))
        done, image = capture.read()
        if done and image.shape[:2] == (height, width):
            found.append((width, height))
    return found
