"""Small files of arrays with JSON metadata: .npz without pickles, sizes checked before reading."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from preprocessing.errors import SinkError

METADATA = "metadata"  # the array that holds the JSON text
MAX_BYTES = 256 * 2**20  # of all arrays, uncompressed


def read_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays of a file by their names, and its metadata.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, too large, or none of ours.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES >> 20} MB")
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        metadata = json.loads(str(arrays.pop(METADATA)))
    except (zipfile.BadZipFile, EOFError, KeyError, RecursionError, NotImplementedError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is no table")
    return arrays, metadata


def to_bytes(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> bytes:
    """The content of a file of arrays and metadata."""
    content = io.BytesIO()
    text = np.array(json.dumps(dict(metadata)))
    np.savez_compressed(content, **arrays, **{METADATA: text})  # type: ignore[arg-type]
    return content.getvalue()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file, in missing folders too; it is replaced as a whole.

    Raises:
        SinkError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise SinkError(f"cannot write {path}: {error.strerror}") from error
