"""Blends two runs of one network: `python -m training.average runs/first runs/second --out runs/c`.

The second run started from the first (`--init`): the mean of their weights keeps what the first
knew of other scenes beside what the second learnt (Wortsman et al. 2022, arXiv 2109.01903).
"""

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from preprocessing.command import exit_status
from preprocessing.errors import UsageError
from training.classification.data import FOLDER
from training.classification.recipes import CONFIG
from training.common.checkpoints import read_state
from training.evaluate import judge_run
from training.fit import commit
from training.tasks import task_of


def blend(first: Path, second: Path, out: Path, *, share: float, **origin: str) -> None:
    """Write a run whose best weights are `share` of the second run's and the rest of the first's.

    Raises:
        UsageError: a run has no whole checkpoint, they hold other networks, or `out` is a run.
    """
    if (out / CONFIG).exists():
        raise UsageError(f"{out} holds a run already: name another with --out")
    if task_of(None, second) == "detect":
        from training.detection import yolo

        yolo.write_best(out, second, _mixed(first, second, share=share, read=yolo.read_state))
    else:
        mixed = _mixed(first, second, share=share, read=read_state)
        out.mkdir(parents=True, exist_ok=True)
        torch.save({"state_dict": mixed}, out / "best.ckpt")
    config = json.loads((second / CONFIG).read_text())
    (out / CONFIG).write_text(json.dumps(config | origin, indent=1) + "\n")
    if (second / FOLDER).is_dir():
        shutil.copytree(second / FOLDER, out / FOLDER)


def _mixed(
    first: Path, second: Path, *, share: float, read: Callable[[Path], dict[str, torch.Tensor]]
) -> dict[str, torch.Tensor]:
    """The blended tensors; those that are no weights, such as counters, are the second one's."""
    start, end = read(first), read(second)
    if {k: v.shape for k, v in start.items()} != {k: v.shape for k, v in end.items()}:
        raise UsageError(f"{first} and {second} hold other networks: nothing to blend")
    return {
        name: torch.lerp(start[name].float(), tensor, share)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in end.items()
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.average",
        description="Blend the best weights of a run with those of one that started from it; "
        "publish the result with training.export. A classifier is judged at once, on its test set.",
    )
    add = parser.add_argument
    add("first", type=Path, help="run folder, or a file of weights")
    add("second", type=Path, help="run folder that training.fit --init FIRST made, or for a "
        "detector --pretrained FIRST")  # fmt: skip
    add("--share", type=float, default=0.5, help="of the second one (default 0.5)")
    add("--out", type=Path, required=True, help="run folder to write")
    add("--data-dir", metavar="DIR", help="folder of the four Fashion-MNIST files")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if not 0 <= args.share <= 1:
        raise UsageError(f"--share must be 0 to 1, got {args.share:g}")
    command = shlex.join(["python", "-m", "training.average", *sys.argv[1:]])
    blend(args.first, args.second, args.out, share=args.share, command=command, commit=commit())
    if task_of(None, args.out) == "classify":
        print(judge_run(args.out, data_dir=args.data_dir, limit=None))
    print(f"wrote {args.out}; publish it with python -m training.export {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
