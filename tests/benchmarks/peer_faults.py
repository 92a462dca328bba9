"""The faulty videos of tests/faults, met by the app, `yolo predict` and a supervision script.

`python tests/benchmarks/peer_faults.py` prints a table in Markdown: how each ends (its exit status,
a traceback, or that it hangs) and how many frames it wrote. Needs tests/requirements-bench.txt.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "faults"))

import av
import make
import test_videos
from fault import LIGHT, Fault
from tqdm import tqdm

from realtime.bench.speed.measure import VIDEOS
from realtime.bench.speed.peers import PREDICT, Peer, app, yolo

CAP = 60  # seconds; torch alone takes three to start
PEERS = (PREDICT, "supervision script, torch")


def broken(change):
    """A clip of 100 frames, its bytes changed."""

    def build(folder: Path) -> list:
        path = make.clip(folder / "in.mp4", frames=100, size=(160, 120))
        path.write_bytes(change(bytearray(path.read_bytes())))
        return ["--video", "in.mp4"]

    return build


def flipped(seed: int):
    """Two hundred bytes at random."""

    def change(data: bytearray) -> bytearray:
        rng = random.Random(seed)
        for _ in range(200):
            data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
        return data

    return change


FAULTS = [
    *test_videos.FAULTS,
    *(Fault(f"cut at {tenth}0 %", broken(lambda data, tenth=tenth: data[: len(data) * tenth // 10]))
      for tenth in (2, 5, 8)),
    *(Fault(f"200 bytes flipped, seed {seed}", broken(flipped(seed))) for seed in range(5)),
]  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        peers = [one for one in yolo(Path(name)) if one.name in PEERS]
        every = [Peer("ours", app(*LIGHT)), *peers]
        print("| fault | frames | " + " | ".join(one.name for one in every) + " |")
        print("|---" * (len(every) + 2) + "|")
        for fault in tqdm(FAULTS, disable=None):
            told = " | ".join(outcome(one, fault) for one in every)
            print(f"| {fault.name} | {fault.frames or ''} | {told} |", flush=True)


def outcome(one: Peer, fault: Fault) -> str:
    """How a program ends when it meets a fault in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flags = fault.build(folder)
        source = str(flags[flags.index("--video") + 1]) if "--video" in flags else "63"
        (folder / "out").mkdir()
        command = one.command(source, folder / "out" / "out.mp4")
        if one.name == "ours" and "--camera" in flags:
            command[command.index("--video")] = "--camera"
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, timeout=CAP)
        except subprocess.TimeoutExpired:
            return f"hangs, {frames_in(folder / 'out')}"
        trace = b"Traceback" in done.stderr + done.stdout
        return f"{'traceback' if trace else done.returncode}, {frames_in(folder / 'out')}"


def frames_in(folder: Path) -> int:
    """Pictures in a folder, and frames of its videos that can be decoded."""
    count = 0
    for path in folder.rglob("*"):
        if path.suffix not in VIDEOS:
            count += path.suffix in (".jpg", ".png")
            continue
        try:
            with av.open(str(path)) as video:
                for _ in video.decode(video=0):
                    count += 1
        except (av.FFmpegError, IndexError):
            continue
    return count


if __name__ == "__main__":
    main()
