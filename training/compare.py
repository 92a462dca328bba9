"""Runs side by side: `python -m training.compare runs/index.csv`.

Profiles every network of the register and writes compare.md, compare.csv and compare.png: accuracy
and macro-F1 beside parameters, multiply-accumulates, receptive field and measured time.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from preprocessing.command import exit_status
from preprocessing.errors import UsageError
from training.common import run_index
from training.profile import Profile, load, profile

COLUMNS = (
    "run", "network", "size", "epochs", "minutes", "accuracy", "macro_f1", "parameters_m",
    "gmacs", "receptive_field", "effective_field", "ms_batch_1", "ms_batch_16", "images_per_second",
)  # fmt: skip


def row_of(run: dict[str, str], found: Profile) -> dict[str, str]:
    """A register's row and a profile as one row of the comparison."""
    alone, batch = found.timings[0], found.timings[-1]
    return {name: run.get(name, "") for name in COLUMNS} | {
        "accuracy": f"{float(run['accuracy']):.4f}",
        "macro_f1": f"{float(run['macro_f1']):.4f}",
        "parameters_m": f"{found.parameters / 1e6:.2f}",
        "gmacs": f"{found.macs / 1e9:.3f}",
        "receptive_field": str(found.receptive_field),
        "effective_field": f"{found.effective_field:.0f}",
        "ms_batch_1": f"{alone.median:.2f}",
        "ms_batch_16": f"{batch.median:.2f}",
        "images_per_second": f"{batch.images_per_second:.0f}",
    }


def as_markdown(rows: Sequence[dict[str, str]]) -> str:
    """The comparison as a Markdown table, best macro-F1 first."""
    lines = [" | ".join(COLUMNS), " | ".join("---" for _ in COLUMNS)]
    lines += [" | ".join(row[name] for name in COLUMNS) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def plot(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Macro-F1 against multiply-accumulates and against measured time, a point a network."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained", sharey=True)
    titles = {"gmacs": "multiply-accumulates, 10^9", "ms_batch_1": "measured ms at batch 1"}
    for axes, (column, title) in zip(panels, titles.items(), strict=True):
        for row in rows:
            x, y = float(row[column]), float(row["macro_f1"])
            axes.scatter(x, y, s=30 + 8 * float(row["parameters_m"]), alpha=0.7)
            axes.annotate(row["network"], (x, y), textcoords="offset points", xytext=(6, 4))
        axes.set_xscale("log")
        axes.margins(x=0.25)  # for the names of the rightmost points
        axes.set_xlabel(title)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("macro-F1 (points as large as their parameters)")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.compare",
        description="Put the runs of a register side by side, every figure measured.",
    )
    add = parser.add_argument
    add("register", type=Path, nargs="?", default=Path("runs") / run_index.INDEX,
        help="index.csv beside the runs (default runs/index.csv)")  # fmt: skip
    add("--data", choices=["Fashion-MNIST", "photos"], help="only runs on this kind of data")
    add("--runs", nargs="*", metavar="RUN", help="only these run folders")
    add("--threads", type=int, default=1, help="of the engine (default 1)")
    add("--out", type=Path, default=Path("out") / "compare", help="folder (default out/compare)")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    runs = [
        run
        for run in run_index.read(args.register)
        if run["accuracy"]  # detectors have none
        and (not args.data or run["data"] == args.data)
        and (not args.runs or run["run"] in args.runs)
    ]
    if not runs:
        raise UsageError(f"no such runs in {args.register}: training.fit enters them at its end")
    rows = []
    for run in runs:
        network, info = load(run["run"], None)
        found = profile(network, run["network"], info, engines=["openvino"], threads=args.threads)
        rows.append(row_of(run, found))
    rows.sort(key=lambda row: float(row["macro_f1"]), reverse=True)
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "compare.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    text = as_markdown(rows)
    (args.out / "compare.md").write_text(text + "\n")
    plot(args.out / "compare.png", rows)
    print(text)
    print(f"wrote {args.out}/compare.md, compare.csv, compare.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
