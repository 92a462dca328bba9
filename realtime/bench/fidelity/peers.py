"""The inputs of the fidelity matrix through other programs, beside the app.

`python -m realtime.bench fidelity-peers` prints how many inputs each of them keeps. Each peer runs
once, over all inputs; thresholds are so high that nothing is drawn on the pictures.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from preprocessing.errors import UsageError
from realtime.bench.fidelity.contents import Content
from realtime.bench.fidelity.inputs import Cell, cells
from realtime.bench.fidelity.matrix import (
    OUTPUTS,
    Result,
    content_of,
    inputs,
    judged,
    through_app,
    usual,
)
from realtime.bench.fidelity.verdicts import EXACT, PROPERTIES
from realtime.bench.speed.measure import ROOT
from training.inference.weights import locate

# What `yolo predict source=FILE save=True` calls.
PREDICT = """
import sys
from pathlib import Path
from ultralytics import YOLO
model = YOLO({model!r})
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        model.predict(str(path), save=True, project=sys.argv[2], name=path.name, exist_ok=True,
                      imgsz=64, conf=0.99, verbose=False)
    except Exception as error:
        print(path.name, error, file=sys.stderr)
"""
SUPERVISION = """
import sys, supervision as sv
from pathlib import Path
from ultralytics import YOLO
model = YOLO({model!r})
boxes = sv.BoxAnnotator()
for path in sorted(Path(sys.argv[1]).iterdir()):
    target = Path(sys.argv[2]) / path.name / "out.mp4"
    target.parent.mkdir(parents=True)
    try:
        with sv.VideoSink(str(target), sv.VideoInfo.from_video_path(str(path))) as sink:
            for image in sv.get_video_frames_generator(str(path)):
                answer = model(image, imgsz=64, conf=0.99, verbose=False)[0]
                sink.write_frame(boxes.annotate(image, sv.Detections.from_ultralytics(answer)))
    except Exception as error:
        print(path.name, error, file=sys.stderr)
"""
PEERS = {"yolo predict": PREDICT, "supervision": SUPERVISION}


def beside_peers(folder: Path) -> list[Result]:
    """The results of the app and of each peer.

    Raises:
        UsageError: a peer is not installed.
    """
    from training.detection.yolo import write_checkpoint

    checkpoint, given = folder / "yolo.pt", folder / "in"
    given.mkdir()
    write_checkpoint(checkpoint, *locate("yolo"))
    every = list(tqdm(inputs(given, filter(usual, cells())), disable=None))
    found = []
    for cell, path, content in tqdm(every, disable=None):
        found += [through_app(cell, path, content, output=output) for output in OUTPUTS]
    for output in OUTPUTS:
        (given / f"out.{output}").unlink(missing_ok=True)
    for name, script in PEERS.items():
        out = folder / name.replace(" ", "-")
        run_peer(name, script.format(model=str(checkpoint)), given, out)
        found += [through_peer(cell, path, content, name=name, out=out / path.name)
                  for cell, path, content in every]  # fmt: skip
    return found


def run_peer(name: str, script: str, given: Path, out: Path) -> None:
    """Run a script over the files of a folder, which writes what it makes of each into another.

    Raises:
        UsageError: it failed.
    """
    command = [sys.executable, "-c", script, str(given), str(out)]
    try:
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        reason = error.stderr.strip().splitlines()[-1]
        raise UsageError(
            f"{name} failed ({reason}): pip install -r tests/requirements-bench.txt"
        ) from error


def through_peer(cell: Cell, path: Path, given: Content, *, name: str, out: Path) -> Result:
    """Judge what a peer wrote into a folder of its own."""
    written = [one for one in out.rglob("*") if one.is_file() and one.stat().st_size]
    content = content_of(written[0]) if written else None
    return Result(cell, name, judged(given, content))


def table(results: Sequence[Result]) -> str:
    """How many inputs each program keeps, by property, in Markdown."""
    programs = list(dict.fromkeys(one.output for one in results))
    count = len(results) // len(programs)
    titles = [f"the app, .{name}" if name in OUTPUTS else name for name in programs]
    lines = [f"| of {count} inputs | " + " | ".join(titles) + " |"]
    lines.append("|---" * (len(programs) + 1) + "|")
    for name in (*PROPERTIES, "all of these"):
        kept = [
            sum(one.verdict == EXACT if name not in PROPERTIES else one.verdicts[name] == EXACT
                for one in results if one.output == program)
            for program in programs
        ]  # fmt: skip
        lines.append(f"| {name} | " + " | ".join(map(str, kept)) + " |")
    return "\n".join(lines)
