import gzip
import hashlib
import struct

import numpy as np
import pytest

from preprocessing.datasets import fashion_mnist
from preprocessing.errors import DataError

COUNTS = {"train": 30, "t10k": 20}


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small data set of the same form, with its own checksums."""
    rng, checksums = np.random.default_rng(0), {}
    for prefix, count in COUNTS.items():
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            raw = idx(array)
            checksums[f"{prefix}-{name}-ubyte"] = hashlib.sha256(raw).hexdigest()
            (tmp_path / f"{prefix}-{name}-ubyte.gz").write_bytes(gzip.compress(raw))
    monkeypatch.setattr(fashion_mnist, "SHA256", checksums)
    monkeypatch.delenv(fashion_mnist.ENVIRONMENT, raising=False)
    return tmp_path


@pytest.mark.parametrize("split", ["train", "test"])
def test_gzip_and_raw_read_alike(folder, split):
    images, labels = fashion_mnist.load(split, folder)
    for path in folder.glob("*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    again, labels_again = fashion_mnist.load(split, folder)
    assert images.shape == (COUNTS[fashion_mnist.SPLITS[split]], 28, 28)
    assert images.dtype == np.uint8 and labels.dtype == np.int64
    assert (images == again).all() and (labels == labels_again).all()


def test_the_folder_named_wins_over_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv(fashion_mnist.ENVIRONMENT, str(tmp_path / "other"))
    assert fashion_mnist.find(folder) == folder
    with pytest.raises(DataError, match="other"):
        fashion_mnist.find()
    monkeypatch.setenv(fashion_mnist.ENVIRONMENT, str(folder))
    assert fashion_mnist.find() == folder


def test_data_folder_then_debian_s(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "DOWNLOAD_DIR", tmp_path / "none")
    monkeypatch.setattr(fashion_mnist, "TORCHVISION_DIR", tmp_path / "none")
    monkeypatch.setattr(fashion_mnist, "DEBIAN_DIR", folder)
    assert fashion_mnist.find(download=False) == folder
    monkeypatch.setattr(fashion_mnist, "DEBIAN_DIR", tmp_path / "none")
    with pytest.raises(DataError, match="apt-get install dataset-fashion-mnist"):
        fashion_mnist.find(download=False)


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "no gzip"])
def test_damage_is_named_with_its_remedy(folder, damage):
    path = folder / "train-images-idx3-ubyte.gz"
    data = bytearray(gzip.decompress(path.read_bytes()))
    if damage == "missing":
        path.unlink()
    elif damage == "flip":
        data[100] ^= 1
        path.write_bytes(gzip.compress(data))
    else:
        packed = path.read_bytes()
        path.write_bytes(packed[: len(packed) // 2] if damage == "cut" else bytes(data))
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.*(apt-get install|--data-dir)"):
        fashion_mnist.load("train", folder)


def test_the_command_counts_and_draws(folder, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    assert fashion_mnist.main(["--data-dir", str(folder), "-o", str(sheet)]) == 0
    assert "train: 30 images" in capsys.readouterr().out and sheet.stat().st_size > 500
    assert fashion_mnist.main(["--data-dir", str(tmp_path / "none"), "-o", str(sheet)]) == 8
