"""Training end to end on a few hundred images: run folder, resume, export, evaluate."""

import json
import shutil
import signal

import photos
import pytest
import torch

from preprocessing.datasets import fashion_mnist
from preprocessing.datasets.samples_and_splits import read_csv
from preprocessing.errors import DataError, UsageError, WeightsError
from training import evaluate, export, fit
from training.classification.evaluate import load_run
from training.classification.settings import ClassifierFitSettings
from training.common import checkpoints
from training.common.export_weights import write_logits_onnx
from training.common.fit_loop import MEASURED, EpochLog
from training.common.runs import read_config, read_metrics
from training.inference import weights
from training.models.onnx_tensors import add_tensors

SMALL = ["--limit-train", "256", "--limit-test", "100", "--batch-size", "64"]
try:
    fashion_mnist.find(download=False)
except DataError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "baseline"
    assert fit.main(["--model", "baseline", "--epochs", "2", "--out", str(folder), *SMALL]) == 0
    return folder


def rows(folder):
    return read_metrics(folder / "metrics.csv")


def test_a_run_folder_is_complete(run):
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "config.json", "metrics.csv", "curves.png", "confusion.png", "mistakes.png",
        "report.md", "report.json", "best.ckpt", "last.ckpt",
    }  # fmt: skip
    config = json.loads((run / "config.json").read_text())
    assert config["recipe"]["epochs"] == 2 and config["recipe"]["batch_size"] == 64
    assert [row["epoch"] for row in rows(run)] == ["0", "1"]
    report = json.loads((run / "report.json").read_text())
    assert report["count"] == 100 and 0 <= report["accuracy"] <= 1
    assert "Ankle boot" in (run / "report.md").read_text()


def test_the_same_seed_gives_the_same_run(run, tmp_path):
    again = tmp_path / "again"
    assert fit.main(["--model", "baseline", "--epochs", "2", "--out", str(again), *SMALL]) == 0
    learned = [[row[name] for name in MEASURED] for row in rows(again)]
    assert learned == [[row[name] for name in MEASURED] for row in rows(run)]


def test_a_run_is_not_overwritten(run, capsys):
    before = (run / "metrics.csv").read_text()
    assert fit.main(["--model", "baseline", "--epochs", "1", "--out", str(run), *SMALL]) == 2
    assert f"--resume {run}" in capsys.readouterr().err
    assert (run / "metrics.csv").read_text() == before


def test_real_garments_are_learnt_beside_the_data_set(tmp_path, capsys):
    source = photos.folder(tmp_path / "photos")
    lines = ["path,label,sender"]
    for number, path in enumerate(sorted(source.rglob("*.png"))):
        label = ("t-shirt", "longsleeve", "hat", "hoodie")[number % 4]
        lines.append(f"{path},{label},{number // 4}")
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    out, flags = tmp_path / "run", ["--model", "deep-real", "--epochs", "1", *SMALL]
    assert fit.main([*flags, "--out", str(out)]) == 2
    assert "needs it" in capsys.readouterr().err
    flags += ["--photos", str(tmp_path / "labels.csv"), "--group-column", "sender"]
    assert fit.main([*flags, "--out", str(out)]) == 0
    samples = read_csv(out / "photos.csv")
    held = [s for s in samples if s.split == "validation"]
    assert {s.label for s in held} == {"t-shirt", "longsleeve"} and 2 <= len(held) <= 6
    learnt = {s.group for s in samples if s.split == "training"}
    assert {
        s.group for s in samples if s.label == "hoodie"
    } == learnt  # akin, of no held-out sender
    assert not learnt & {s.group for s in held}
    command = ["--model", str(out), "--data", str(out / "photos.csv"), "--split", "validation"]
    assert evaluate.main([*command, "--out", str(tmp_path / "report")]) == 0
    assert json.loads((tmp_path / "report" / "report.json").read_text())["count"] == len(held)


def test_a_run_starts_from_a_weight_file(tmp_path, capsys):
    start = weights.WEIGHTS_DIR / "baseline.onnx"
    still = ["--model", "baseline", "--epochs", "1", "--lr", "1e-9", *SMALL]
    assert fit.main([*still, "--init", str(start), "--out", str(tmp_path / "run")]) == 0
    found = checkpoints.read_state(tmp_path / "run")
    for name, tensor in checkpoints.read_state(start).items():
        statistics = "running" in name or "tracked" in name
        assert statistics or torch.allclose(found[name], tensor.float(), atol=1e-3)
    other = ["--init", str(start.with_name("deep.onnx")), "--out", str(tmp_path / "other")]
    assert fit.main([*still, *other]) == 2
    assert "another network" in capsys.readouterr().err


def test_flags_reach_the_training(tmp_path):
    flags = ["--lr", "0.01", "--schedule", "step", "--augment", "none", "--seed", "3"]
    assert (
        fit.main(["--model", "deep", "--epochs", "1", "--out", str(tmp_path), *SMALL, *flags]) == 0
    )
    config = json.loads((tmp_path / "config.json").read_text())
    assert (
        config["recipe"] | {"lr": 0.01, "schedule": "step", "augment": "none"} == config["recipe"]
    )
    assert config["seed"] == 3 and float(rows(tmp_path)[0]["lr"]) == 0.01


@pytest.mark.parametrize(
    ("flags", "status"),
    [
        (["--epochs", "0"], 2),
        (["--lr", "-1"], 2),
        (["--limit-train", "0"], 2),
        (["--occlusion", "0.2"], 2),  # draws on photos alone
        (["--resume", "no/such/run"], 2),
        (["--data-dir", "no/such/folder"], 8),
    ],
)
def test_bad_flags(tmp_path, flags, status, capsys):
    out = [] if "--resume" in flags else ["--out", str(tmp_path / "run")]
    assert fit.main(["--model", "baseline", *flags, *out]) == status
    assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture
def ctrl_c(monkeypatch):
    """SIGINT amid the second epoch, after which Lightning ignores further ones."""
    step_ended = EpochLog.on_train_batch_end

    def interrupted(self, trainer, *more):
        step_ended(self, trainer, *more)
        if trainer.current_epoch == 1:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patch:
        patch.setattr(EpochLog, "on_train_batch_end", interrupted)
        yield patch
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_saves_and_resume_goes_on(tmp_path, ctrl_c, capsys):
    folder, flags = tmp_path / "run", ["--model", "baseline", "--epochs", "3", *SMALL]
    assert fit.main([*flags, "--out", str(folder)]) == 130
    assert f"--resume {folder}" in capsys.readouterr().err and (folder / "last.ckpt").exists()
    assert [row["epoch"] for row in rows(folder)] == ["0"]
    ctrl_c.undo()
    assert fit.main([*flags, "--resume", str(folder)]) == 0
    assert [row["epoch"] for row in rows(folder)] == ["0", "1", "2"]
    config = read_config(folder, ClassifierFitSettings)
    assert config.command.endswith(f"--out {folder}")  # that which began it


def test_export_and_evaluate(run, tmp_path, capsys):
    assert export.main([str(run), "--out", str(tmp_path)]) == 0
    info = weights.read_info(tmp_path / "baseline.onnx")
    assert info.name == "baseline" and info.metrics["test"]["count"] == 100
    assert weights.verified(tmp_path / "baseline.onnx")
    figures = tmp_path / "figures.json"
    status = evaluate.main(
        ["--model", str(tmp_path / "baseline.onnx"), "--limit-test", "100", "--json", str(figures),
         "--out", str(tmp_path / "report")]
    )  # fmt: skip
    assert status == 0
    values = json.loads(figures.read_text())
    assert 0 <= values["macro_f1"] <= 1 and 0 <= values["ece"] <= 1
    # Half precision may move a borderline image.
    assert values["accuracy"] == pytest.approx(info.metrics["test"]["accuracy"], abs=0.02)
    assert evaluate.main(["--model", "nonsense"]) == 6
    assert "have" in capsys.readouterr().err


def test_what_is_no_run(tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        load_run(tmp_path)


def test_a_run_whose_network_has_changed_since(run, tmp_path):
    old = shutil.copytree(run, tmp_path / "old")
    config = json.loads((old / "config.json").read_text())
    config["recipe"]["head"] = "linear"
    (old / "config.json").write_text(json.dumps(config))
    with pytest.raises(UsageError, match="train it again"):
        load_run(old)


def test_tensors_of_another_network(run, tmp_path):
    network = load_run(run).network
    info = weights.WeightsInfo(
        name="x", network="deep", classes=("a",) * 10, network_input="fashion-mnist", size=28,
        channels=1, mean=(0.3,), std=(0.3,), temperature=1.0,
    )  # fmt: skip
    write_logits_onnx(tmp_path / "x.onnx", network, info, half=True)
    with pytest.raises(WeightsError, match="holds no tensors to train from"):
        checkpoints.load_network(tmp_path / "x", info)
    add_tensors(tmp_path / "x.onnx", network, half=True)
    with pytest.raises(WeightsError, match="does not hold a 'deep' network"):
        checkpoints.load_network(tmp_path / "x", info)
