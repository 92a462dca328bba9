"""Measures the app on a graphics card within ten minutes; see gpu.sh, which prepares for it.

Each row runs in a process of its own, so that one that fails or hangs ends no other, and after each
row `gpu.json` and `gpu.md` are written anew: what was measured is there, however the run ends.
Without a card, or with --dry-run, the same rows run on the CPU with little to do.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from gpu_rows import ROWS, Load

SMI = ("utilization.gpu", "utilization.decoder", "utilization.encoder", "memory.used")
LONGEST_ROW = 150.0  # seconds


@dataclass(frozen=True)
class Row:
    """A measured row.

    Attributes:
        value: in `unit`, None where it could not be measured, for the reason `error`.
        more: what else it found; card: its load, mean and maximum by nvidia-smi.
    """

    name: str
    value: float | None = None
    unit: str = ""
    more: dict = field(default_factory=dict)
    error: str = ""
    seconds: float = 0.0
    card: dict = field(default_factory=dict)


@contextmanager
def card_use() -> Iterator[dict]:
    """Mean and maximum of the card's load during the block, where nvidia-smi is."""
    found: dict = {}
    if not shutil.which("nvidia-smi"):
        yield found
        return
    command = ["nvidia-smi", f"--query-gpu={','.join(SMI)}", "--format=csv,noheader,nounits",
               "-lms", "250"]  # fmt: skip
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        try:
            yield found
        finally:
            process.terminate()
            process.wait()
            output.seek(0)
            found.update(use_of(output.read()))


def use_of(text: str) -> dict:
    """Mean and maximum by column of nvidia-smi's lines; columns that it does not know are left."""
    found = {}
    samples = [line.split(", ") for line in text.splitlines() if line.count(",") == len(SMI) - 1]
    for name, values in zip(SMI, zip(*samples, strict=True), strict=False):
        with suppress(ValueError):
            numbers = [float(value) for value in values]
            found[name] = {"mean": round(sum(numbers) / len(numbers), 1), "max": max(numbers)}
    return found


def machine() -> dict:
    """The parts that the figures depend on."""
    found: dict = {"cores": os.cpu_count(), "python": platform.python_version()}
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    with suppress(OSError, subprocess.CalledProcessError):
        done = subprocess.run(query, check=True, capture_output=True, text=True)
        found["card"] = done.stdout.strip()
    for name in ("torch", "av", "cv2", "onnxruntime", "openvino", "ultralytics"):
        try:
            found[name] = getattr(__import__(name), "__version__", "there")
        except Exception as error:
            found[name] = f"not there ({type(error).__name__})"
    with suppress(Exception):
        from realtime.sinks.encoders import ENCODERS, opens
        from realtime.sources.containers import decoding_devices

        found["decoders"] = ", ".join(decoding_devices()) or "the CPU alone"
        found["encoders"] = ", ".join(name for name in ENCODERS if opens(name))
    return found


def run_row(name: str, load: Load, folder: Path, limit: float) -> Row:
    """A row in a process of its own, with the card's load."""
    command = [sys.executable, __file__, "--row", name, "--folder", str(folder),
               "--load", json.dumps(asdict(load))]  # fmt: skip
    start = time.monotonic()
    with card_use() as card:
        row = _ended(name, command, limit)
    return Row(**asdict(row) | {"seconds": round(time.monotonic() - start, 1), "card": card})


def _ended(name: str, command: Sequence[str], limit: float) -> Row:
    """The figures that a process prints last; after its time it and all that it started end."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return Row(name, error=f"not done in {limit:.0f} s")
    if process.returncode:
        last = errors.strip().splitlines() or [f"status {process.returncode}"]
        return Row(name, error=" | ".join(last[-2:])[:400])
    try:
        return Row(name, *json.loads(output.splitlines()[-1]))
    except (ValueError, IndexError, TypeError) as error:
        return Row(name, error=f"no figures: {error}")


def write(out: Path, found: dict, rows: Sequence[Row]) -> None:
    """Write what is measured so far, each file whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": found, "rows": [asdict(row) for row in rows]}, indent=1)
    for path, content in ((out / "gpu.json", text), (out / "gpu.md", markdown(found, rows))):
        part = path.with_suffix(".part")
        part.write_text(content + "\n")
        part.replace(path)


def markdown(found: dict, rows: Sequence[Row]) -> str:
    """The rows as a table, with what each is below it."""
    lines = [f"Machine: {', '.join(f'{key} {value}' for key, value in found.items())}.", ""]
    lines += ["| row | value | GPU, mean (max) | seconds |", "|---|---|---|---|"]
    for row in rows:
        value = (
            f"not measured: {row.error}" if row.value is None else f"{row.value:,.1f} {row.unit}"
        )
        use = row.card.get("utilization.gpu")
        shown = f"{use['mean']:.0f} % ({use['max']:.0f} %)" if use else ""
        lines.append(f"| {row.name} | {value} | {shown} | {row.seconds:.0f} |")
    lines.append("")
    for row in rows:
        purpose = (ROWS[row.name].__doc__ or "").strip().splitlines()[0]
        more = "; ".join(f"{key}: {value}" for key, value in row.more.items())
        lines.append(f"- **{row.name}**: {purpose} {more}".rstrip())
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rows; status 1 if none could be measured."""
    parser = argparse.ArgumentParser(prog="gpu.sh", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with little to do")
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", ".")) / "gpu")
    parser.add_argument("--seconds", type=float, default=570.0, help="after which no row begins")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--clip", default="", help="a video with people, instead of the demo clip")
    for name in ("--row", "--folder", "--load"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.row:
        print(json.dumps(ROWS[args.row](Load(**json.loads(args.load)), Path(args.folder))))
        return 0
    dry = args.dry_run or not shutil.which("nvidia-smi")
    load = Load.dry(args.clip) if dry else Load(clip=args.clip)
    end, rows, found = time.monotonic() + args.seconds, [], machine()
    with tempfile.TemporaryDirectory() as folder:
        for name in args.rows:
            left = end - time.monotonic()
            rows.append(
                run_row(name, load, Path(folder), min(LONGEST_ROW, left))
                if left > 0
                else Row(name, error="no time left")
            )
            write(args.out, found, rows)
            print(markdown(found, rows[-1:]).splitlines()[4], flush=True)
    return 0 if any(row.value is not None for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
