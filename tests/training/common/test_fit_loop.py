"""Two processes that split each batch learn what one learns from the whole of it."""

import os
import subprocess
import sys

import make
import pytest

from preprocessing.datasets import fashion_mnist
from preprocessing.errors import DataError
from training import fit
from training.common.runs import read_metrics

STEPS, BATCH = 20, 64
try:
    fashion_mnist.find(download=False)
except DataError as error:
    pytest.skip(str(error), allow_module_level=True)


def command(out, *flags):
    """Flags of a training without chance but its seed's."""
    small = ["--limit-train", str(STEPS * BATCH), "--limit-test", "100", "--lr", "0.02"]
    small += ["--device", "cpu", "--epochs", "1", "--batch-size", str(BATCH), "--augment", "none"]
    return ["--model", "deep", *small, "--out", str(out), *flags]


def test_two_processes_equal_one(tmp_path):
    assert fit.main(command(tmp_path / "one")) == 0
    done = subprocess.run(  # which starts the second process
        [sys.executable, "-m", "training.fit",
         *command(tmp_path / "two", "--devices", "2", "--strategy", "ddp")],
        cwd=make.ROOT, capture_output=True, text=True,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    one, two = (read_metrics(tmp_path / name / "metrics.csv") for name in ("one", "two"))
    assert len(one) == len(two) == 1
    # Batch norm sees half of the batch in each process, which is all that differs; its running
    # means, which validation uses, are few steps old and differ more, by the CPU.
    for name, slack in (("train_loss", 0.01), ("val_loss", 0.05)):
        assert float(two[0][name]) == pytest.approx(float(one[0][name]), rel=slack)
    assert (tmp_path / "two" / "report.json").is_file()
