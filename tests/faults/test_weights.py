"""Weight files that are damaged, foreign, hostile, or change under the app's feet."""

import io
import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import fault
import make
import pytest
from fault import Fault

from training.inference.weights import WEIGHTS_DIR

BOTH = (".onnx", ".safetensors")


class Hostile:
    """Unpickling it would leave a file behind."""

    def __reduce__(self):
        return os.system, ("touch was-run",)


def damaged(damage, *flags, suffixes=BOTH):
    """The committed `deep`, copied and then damaged by damage(bytes)."""

    def build(folder: Path) -> list:
        make.moving_clip(folder / "in.mp4")
        for suffix in BOTH:
            data = (WEIGHTS_DIR / f"deep{suffix}").read_bytes()
            data = damage(data) if suffix in suffixes else data
            (folder / f"deep{suffix}").write_bytes(data)
        return ["--video", "in.mp4", "-o", "out.mp4", "--locate", "segment",
                "--model", "deep.onnx", *flags]  # fmt: skip

    return build


def flipped(place: float):
    """One bit of a file, at a share of its length."""

    def damage(data: bytes) -> bytes:
        found = bytearray(data)
        found[int(place * (len(data) - 1))] ^= 4
        return bytes(found)

    return damage


def checked(damage, suffix):
    """The same, with the manifest beside the files."""

    def build(folder: Path) -> list:
        flags = damaged(damage, suffixes=(suffix,))(folder)
        shutil.copy(WEIGHTS_DIR / "manifest.json", folder)
        return flags

    return build


def foreign(name: str):
    """The tensors of another model under this name."""

    def build(folder: Path) -> list:
        flags = damaged(bytes)(folder)
        shutil.copy(WEIGHTS_DIR / f"{name}.onnx", folder / "deep.onnx")
        return flags

    return build


def bomb(data: bytes) -> bytes:
    """A zip file of a hundred million zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", bytes(100_000_000))
    return buffer.getvalue()


def header(text: str):
    """A safetensors file with this header."""
    return lambda data: struct.pack("<Q", len(text)) + text.encode()


TENSORS = (".safetensors",)
FAULTS = [
    *(Fault(f"cut off at {share:.0%}", damaged(lambda d, s=share: d[: int(s * len(d))]), 6, "deep")
      for share in (0.0, 0.001, 0.5, 0.99)),
    *(Fault(f"a bit flipped in {suffix}", checked(flipped(0.7), suffix), 6, "wrong checksum")
      for suffix in (".onnx",)),
    Fault("a bit flipped in the header", damaged(flipped(0.0001), suffixes=TENSORS), 6, "damaged"),
    Fault("of another shape", foreign("photo"), 6, "deep"),
    Fault("of another task", foreign("yolo"), 6, "deep"),
    Fault("a pickle", damaged(lambda _: pickle.dumps(Hostile())), 6, "damaged"),
    Fault("a zip bomb", damaged(bomb), 6, "damaged"),
    Fault("a huge header", damaged(lambda d: b"\xff" * 8 + d, suffixes=TENSORS), 6, "damaged"),
    Fault("a header that is no JSON", damaged(header("{"), suffixes=TENSORS), 6, "damaged"),
    Fault("a deep header", damaged(header("[" * 100_000), suffixes=TENSORS), 6, "damaged"),
    Fault("a header without metadata", damaged(header("{}"), suffixes=TENSORS), 6, "damaged"),
    Fault("metadata of a wrong kind", damaged(
        header(json.dumps({"__metadata__": {"garment": json.dumps({"name": 1})}})),
        suffixes=TENSORS), 6, "metadata is damaged"),
    Fault("a model of another use", lambda f: ["--video", f, "--model", "yolo", "-o", "a.mp4"], 6,
          "--locate"),
    Fault("no such file", lambda f: ["--video", f, "--model", "none.onnx", "-o", "a.mp4"], 6,
          "none"),
]  # fmt: skip


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_fault(case, tmp_path):
    if case.words in ("--locate", "none"):
        make.clip(tmp_path / "in.mp4")
        flags = [tmp_path / "in.mp4" if f == tmp_path else f for f in case.build(tmp_path)]
        case = Fault(case.name, lambda _: flags, case.status, case.words)
    fault.held(case, tmp_path)
    assert not (tmp_path / "was-run").exists()


def test_file_replaced_while_running(tmp_path):
    """What was loaded is used to the end."""
    video = make.moving_clip(tmp_path / "long.mp4", size=(640, 480), repeats=20)
    flags = damaged(bytes)(tmp_path)
    flags[flags.index("in.mp4")] = str(video)
    command = [sys.executable, make.ROOT / "run_realtime.py", *flags]
    app = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + fault.CAP
    while not (tmp_path / "out.mp4").exists() and time.monotonic() < end:
        time.sleep(0.02)
    for suffix in BOTH:
        (tmp_path / f"deep{suffix}").write_bytes(b"")
    _, told = app.communicate(timeout=fault.CAP)
    assert app.returncode == 0, told
    assert fault.frames_of(tmp_path / "out.mp4") == 800


def test_engine_that_is_not_installed(tmp_path):
    make.moving_clip(tmp_path / "in.mp4")
    (tmp_path / "hidden" / "torch").mkdir(parents=True)
    (tmp_path / "hidden" / "torch" / "__init__.py").write_text("raise ImportError('no torch')")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "hidden")}
    done = make.app("--video", "in.mp4", "-o", "out.mp4", "--engine", "torch", "--model", "deep",
                    cwd=tmp_path, env=environment)  # fmt: skip
    assert done.returncode == 7 and "Traceback" not in done.stderr, done.stderr
    assert "torch" in done.stderr and "pip install" in done.stderr
