"""Two processes that split each batch learn what one learns from the whole of it."""

import os
import subprocess
import sys

import make
import pytest

from preprocessing.datasets import fashion_mnist
from preprocessing.errors import DataError
from training.common.runs import read_metrics

STEPS, BATCH = 20, 64
try:
    fashion_mnist.find(download=False)
except DataError as error:
    pytest.skip(str(error), allow_module_level=True)


def losses(out, *flags):
    command = [sys.executable, "-m", "training.fit", "--model", "deep", "--augment", "none"]
    command += ["--device", "cpu", "--epochs", "1", "--batch-size", str(BATCH), "--lr", "0.02"]
    command += ["--limit-train", str(STEPS * BATCH), "--limit-test", "100", "--out", str(out)]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, *flags], cwd=make.ROOT, capture_output=True, text=True, timeout=300,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return read_metrics(out / "metrics.csv")


@pytest.mark.timeout(600)
def test_two_processes_equal_one(tmp_path):
    one = losses(tmp_path / "one")
    two = losses(tmp_path / "two", "--devices", "2", "--strategy", "ddp")
    assert len(one) == len(two) == 1
    # Batch norm sees half of the batch in each process, which is all that differs; its running
    # means, which validation uses, are few steps old and differ more, by the CPU.
    for name, slack in (("train_loss", 0.01), ("val_loss", 0.05)):
        assert float(two[0][name]) == pytest.approx(float(one[0][name]), rel=slack)
    assert (tmp_path / "two" / "report.json").is_file()
