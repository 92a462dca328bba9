"""Files of arrays: what was written is read, anything else is refused."""

import zipfile

import numpy as np
import pytest

from preprocessing.errors import SinkError
from training.inference import archives
from training.inference.archives import read_arrays, replace_file, to_bytes

ARRAYS = {"names": np.array(["a", "blue jumper"]), "rows": np.eye(2, dtype=np.float16)}


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "new" / "file.npz"
    replace_file(path, to_bytes(ARRAYS, {"model": "photo"}))
    arrays, metadata = read_arrays(path)
    assert metadata == {"model": "photo"} and arrays.keys() == ARRAYS.keys()
    assert arrays["names"].tolist() == ["a", "blue jumper"]
    assert arrays["rows"].dtype == np.float16
    assert [one.name for one in path.parent.iterdir()] == ["file.npz"]


def test_code_in_a_file_is_not_run(tmp_path):
    path = tmp_path / "file.npz"
    np.savez(path, metadata=np.array("{}"), rows=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_arrays(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", to_bytes(ARRAYS, {})[:-40]])
def test_a_damaged_file_is_an_error(tmp_path, content):
    path = tmp_path / "file.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"."):
        read_arrays(path)


def test_a_file_without_metadata_is_an_error(tmp_path):
    np.savez(tmp_path / "file.npz", rows=np.eye(2))
    with pytest.raises(ValueError, match="metadata"):
        read_arrays(tmp_path / "file.npz")


def test_a_file_that_unfolds_to_gigabytes_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1 << 20)
    path = tmp_path / "file.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.npy", bytes(2 << 20))
    with pytest.raises(ValueError, match="more than 1 MB"):
        read_arrays(path)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match="cannot write"):
        replace_file(tmp_path / "file" / "wardrobe.npz", b"")
