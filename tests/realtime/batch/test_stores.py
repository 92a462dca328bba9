"""Archives in stores of fsspec: its memory, its local files; what is put there is whole."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

import make
import pytest

from preprocessing.errors import SinkError, SourceError, UsageError
from realtime.batch import archive, stores
from realtime.batch.workers import in_turn, work

pytest.importorskip("pyarrow", reason="pyarrow is not installed")
fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
FLAGS = ("--model", "deep", "--locate", "segment", "--unit-frames", "20")


@pytest.fixture(autouse=True)
def memory(tmp_path, monkeypatch):
    """An empty store in memory, and a folder for copies of its own."""
    monkeypatch.setattr(stores.tempfile, "gettempdir", lambda: str(tmp_path))
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture
def clip(tmp_path, memory):
    """A clip as a file, also in the store as cam/a.mp4."""
    path = make.moving_clip(tmp_path / "a.mp4")
    memory.pipe("/cam/a.mp4", path.read_bytes())
    return path


def run(capsys, *arguments):
    """Run the command, one unit after the other; its exit status and the line on reuse."""
    status = archive.run_archive(archive.read_settings([*map(str, arguments), *FLAGS]), in_turn)
    lines = capsys.readouterr().err.splitlines()
    return status, next(line for line in lines if " units of " in line)


def rows(data: bytes):
    from pyarrow.parquet import read_table

    return read_table(io.BytesIO(data)).to_pylist()


def test_a_store_has_the_results_of_a_folder(clip, memory, tmp_path, capsys):
    assert run(capsys, clip, "--out", tmp_path / "out")[0] == 0
    given = ("memory://cam/*.mp4", "--out", "memory://results/b")
    assert run(capsys, *given) == (0, "2 units of 1 videos, 0 reused, 2 to do (2 new)")
    wanted = rows((tmp_path / "out" / "a.parquet").read_bytes())
    assert rows(memory.cat("/results/b/a.parquet")) == wanted and len(wanted) == 40
    (tmp_path / "found.mp4").write_bytes(memory.cat("/results/b/a.mp4"))
    assert make.decoded(tmp_path / "found.mp4")[1] == make.decoded(clip)[1]
    assert not [name for name in memory.find("/results") if "unfinished" in name]
    # Another machine goes on with what is there, and a unit without a record is none.
    shutil.rmtree(stores.scratch())
    memory.rm("/results/b/units/a/000001/record.json")
    assert run(capsys, *given) == (0, "2 units of 1 videos, 1 reused, 1 to do (1 new)")
    assert run(capsys, *given) == (0, "2 units of 1 videos, 2 reused, 0 to do")
    assert rows(memory.cat("/results/b/a.parquet")) == wanted
    assert not list(stores.Store.of("memory://results/b").folder.glob("[!.]*"))


def test_another_machine_s_units_come_through_the_store(clip, tmp_path, capsys):
    """The store is fsspec's own of local files; the worker removes what it made."""

    def elsewhere(units, task):
        for unit in units:
            ending = work(unit, replace(task, home="another"))
            assert not unit.folder.exists()
            yield unit, ending

    flags = (str(clip), "--out", f"local://{tmp_path}/store", *FLAGS)
    assert archive.run_archive(archive.read_settings(flags), elsewhere) == 0
    assert len(rows((tmp_path / "store" / "a.parquet").read_bytes())) == 40
    units = sorted(path.name for path in (tmp_path / "store" / "units" / "a").iterdir())
    assert units == ["000000", "000001", "video.json"]


def test_files_by_url_are_files(clip, tmp_path, capsys):
    out = (tmp_path / "out dir").as_uri()
    assert run(capsys, clip.as_uri(), "--out", out)[0] == 0
    assert len(rows((tmp_path / "out dir" / "a.parquet").read_bytes())) == 40
    assert run(capsys, clip, "--out", tmp_path / "out dir")[1].endswith("2 reused, 0 to do")


def test_a_changed_video_is_made_anew(clip, memory, tmp_path, capsys):
    given = ("memory://cam/a.mp4", "--out", "memory://results", "--rows-only")
    run(capsys, *given)
    longer = make.moving_clip(tmp_path / "b.mp4", repeats=2)
    memory.pipe("/cam/a.mp4", longer.read_bytes())
    assert run(capsys, *given)[1].endswith("4 to do (2 source changed, 2 new)")
    assert len(rows(memory.cat("/results/a.parquet"))) == 80
    make.moving_clip(longer)
    memory.pipe("/cam/a.mp4", longer.read_bytes())
    run(capsys, *given)
    names = {name.split("/")[4] for name in memory.find("/results/units/a")}
    assert names == {"000000", "000001", "video.json"}  # no unit of the longer one


def test_a_copy_is_fetched_once_and_kept_while_it_is_used(clip, memory, monkeypatch):
    fetched = []
    get = type(memory).get_file
    monkeypatch.setattr(
        type(memory), "get_file", lambda *given, **kw: (fetched.append(1), get(*given, **kw))
    )
    with stores.local("memory://cam/a.mp4") as first, stores.local("memory://cam/a.mp4"):
        assert len(fetched) == 1
        monkeypatch.setattr(stores, "cores", lambda: 0)  # keep no copy that nobody uses
        with stores.local("memory://cam/a.mp4"):
            assert not list((stores.scratch() / "copies").glob("*[!k]"))
        assert Path(first).read_bytes() == clip.read_bytes()
    assert len(fetched) == 1 and not list(stores.scratch().glob("use-*"))
    with stores.local(str(clip)) as path:
        assert path == str(clip)


def test_a_failed_upload_leaves_the_old_result(clip, memory, tmp_path, monkeypatch):
    store = stores.Store.of("memory://results")
    store.folder.mkdir()
    (store.folder / "a.parquet").write_text("old")
    store.put(store.folder / "a.parquet")

    def full(self, source, target, **options):
        self.pipe(target, b"ha")
        raise RuntimeError("quota exceeded\nin two lines")

    monkeypatch.setattr(type(memory), "put_file", full)
    (store.folder / "a.parquet").write_text("newer")
    with pytest.raises(SinkError, match=r"cannot write memory://results: quota exceeded$"):
        store.put(store.folder / "a.parquet")
    assert memory.find("/results") == ["/results/a.parquet"]
    assert memory.cat("/results/a.parquet") == b"old"


def test_a_store_that_renames_over_no_file(memory, monkeypatch):
    store, move = stores.Store.of("memory://results"), type(memory).mv

    def careful(self, old, new, **options):
        if self.exists(new):
            raise FileExistsError(new)
        move(self, old, new, **options)

    monkeypatch.setattr(type(memory), "mv", careful)
    store.folder.mkdir()
    for text in ("old", "new"):
        (store.folder / "a.parquet").write_text(text)
        store.put(store.folder / "a.parquet")
    assert memory.cat("/results/a.parquet") == b"new" and len(memory.find("/results")) == 1


@pytest.mark.parametrize(
    ("video", "out", "error", "words"),
    [
        ("memory://cam/a.mp4", "memory://cam", SinkError, "memory://cam/a.mp4 is the input itself"),
        ("memory://cam/none*.mp4", "memory://x", UsageError, "no video matches memory://cam/none"),
        ("nowhere://a.mp4", "memory://x", UsageError, "in no store that fsspec knows"),
    ],
)
def test_what_is_refused(clip, capsys, video, out, error, words):
    with pytest.raises(error, match=words):
        run(capsys, video, "--out", out)


def test_a_video_that_is_not_there(capsys):
    with pytest.raises(SourceError, match=r"cannot open memory://cam/b.mp4: there is no such file"):
        stores.identity("memory://cam/b.mp4")
    assert run(capsys, "memory://cam/b.mp4", "--out", "memory://results")[0] == 3


def test_names_of_local_copies_stay_out_of_messages(memory):
    memory.pipe("/cam/bad.mp4", b"no video")
    with pytest.raises(SourceError, match=r"cannot read memory://cam/bad.mp4: "), \
            stores.local("memory://cam/bad.mp4") as path:  # fmt: skip
        raise SourceError(f"cannot read {path}: no video")
