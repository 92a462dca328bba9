"""Several sources: own outputs, and one bad file that stops no other."""

import json
import signal

import make
from fault import LIGHT
from PIL import Image
from waiting import DEADLINE, until

from realtime.batch.several import file_names, jobs_of
from realtime.settings import Settings
from realtime.sinks.sink_table import OutputSettings


def test_files_of_one_name_do_not_overwrite_each_other():
    assert file_names(["a/x.mp4", "b/x.mkv", "c/y.mp4"]) == ["x", "x-2", "y"]
    assert file_names([0, 1]) == ["camera-0", "camera-1"]
    assert file_names(["x/a.mp4", "y/a.mp4", "z/a-2.mp4"]) == ["a", "a-3", "a-2"]
    assert file_names(["x/a.mp4", "y/A.mp4", "z/a-2.mkv", "z/A.mkv"]) == ["a", "A-3", "a-2", "A-4"]
    assert file_names(["rtsp://a/", "http://a/b?c=/"]) == ["a", "b?c="]


def outputs_of(addresses, folder, *names):
    settings = Settings(outputs=OutputSettings(paths={name: folder for name in names}))
    jobs = jobs_of(list(map(str, addresses)), settings)
    return [[path.name for path in job.settings.outputs.paths.values()] for job in jobs]


def test_pictures_have_labelled_pictures_of_their_names(tmp_path):
    first, second = (Image.new("RGB", (8, 8), shade) for shade in ("red", "blue"))
    for name in ("a.jpg", "a.PNG", "b.avif", "c.webp"):
        first.save(tmp_path / name)
    first.save(tmp_path / "d.webp", save_all=True, append_images=[second])
    files = [tmp_path / name for name in ("a.jpg", "a.PNG", "b.avif", "c.webp", "d.webp", "e.mov")]
    assert outputs_of(files, tmp_path, "out") == [
        ["a.jpg"], ["a.PNG"], ["b.png"], ["c.webp"], ["d.mp4"], ["e.mp4"]
    ]  # fmt: skip
    assert outputs_of(files[:2], tmp_path, "out", "csv") == [
        ["a.jpg", "a.csv"], ["a-2.PNG", "a-2.csv"]
    ]  # fmt: skip


def test_a_bad_file_stops_no_other(tmp_path):
    videos = [make.clip(tmp_path / f"{name}.mp4", frames=12) for name in ("a", "c")]
    (tmp_path / "b.mp4").write_text("no video")
    out, rows = tmp_path / "out", tmp_path / "rows"
    three = (videos[0], tmp_path / "b.mp4", videos[1])
    done = make.app("--video", *three, "-o", out, "--jsonl", rows, *LIGHT)
    assert done.returncode == 3, done.stderr
    assert sorted(path.name for path in out.iterdir()) == ["a.mp4", "c.mp4"]
    assert [len(make.decoded(out / name)[0]) for name in ("a.mp4", "c.mp4")] == [12, 12]
    assert sorted(path.name for path in rows.iterdir()) == ["a.jsonl", "c.jsonl"]
    lines = done.stderr.strip().splitlines()[-3:]
    assert [line.split()[0] for line in lines] == [str(tmp_path / f"{n}.mp4") for n in "abc"]
    assert lines[0].endswith("done") and "b.mp4" in lines[1] and "Traceback" not in done.stderr


def test_several_videos_need_a_folder(tmp_path):
    videos = [make.clip(tmp_path / f"{name}.mp4", frames=3) for name in "ab"]
    done = make.called("--video", *videos)
    assert done.returncode == 2 and "-o FOLDER" in done.stderr
    (tmp_path / "file").touch()
    done = make.called("--video", *videos, "-o", tmp_path / "file")
    assert done.returncode == 5 and "is not one" in done.stderr


def test_cameras_run_at_the_same_time(tmp_path):
    cameras = [f"fake://20fps?for=3s&name={name}" for name in "ab"]
    video = make.clip(tmp_path / "c.mp4", frames=12)
    flags = ("-o", tmp_path / "out", "--jsonl", tmp_path / "rows", *LIGHT)
    done = make.app("--video", cameras[0], video, cameras[1], *flags)
    assert done.returncode == 0, done.stderr
    times = []
    for path in sorted((tmp_path / "rows").glob("20fps*")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        times.append(rows[-1]["time"])
        assert len({row["label"] for row in rows}) > 2
    assert len(times) == 2 and min(times) > 1.5
    assert done.stderr.count("engine openvino") == 1  # loaded once


def test_a_signal_ends_all_cameras(tmp_path):
    cameras = ["fake://20fps?name=a", "fake://20fps?name=b"]
    app = make.start(*LIGHT, "-o", tmp_path, "--video", *cameras)
    until(lambda: len([p for p in tmp_path.glob("*.mp4") if p.stat().st_size > 5000]) == 2)
    app.send_signal(signal.SIGTERM)
    errors = app.communicate(timeout=DEADLINE)[1]
    assert app.returncode == 128 + signal.SIGTERM and errors.count("signal") == 2
    assert all(len(make.decoded(path)[0]) > 0 for path in tmp_path.glob("*.mp4"))
