"""The report: the garments of a run and their times in view, also of one that is killed."""

import make
import pytest

from realtime.sinks import report
from realtime.sinks.report import ReportSink, TrackRecord, clock, outfit, seconds_in_view

DRESS = make.garment(colour="red")
COAT = make.garment("Coat", track=2, colour="blue")


def frames(*moments):
    return [make.labelled(index, *garments) for index, garments in enumerate(moments)]


def test_the_report_shows_every_garment_and_its_times_in_view(tmp_path):
    path = tmp_path / "report.html"
    moments = frames([DRESS], [DRESS, COAT], [COAT], [DRESS, COAT])
    make.write_all(ReportSink(path), *moments, source=make.info("<a> & b.mp4"))
    text = path.read_text()
    assert "&lt;a&gt; &amp; b.mp4" in text and "<a>" not in text
    assert "4 frames" in text and "2 garments" in text
    assert text.count("data:image/jpeg;base64,") == 2
    assert text.count("<rect") == 3  # the dress was out of view for a frame
    assert "red Dress" in text and "blue Coat" in text and "By person" not in text
    assert list(tmp_path.iterdir()) == [path]


def test_an_outfit_for_each_person(tmp_path):
    path = tmp_path / "report.html"
    blue = make.garment("t-shirt", person=2, colour="blue")
    black = make.garment("pants", track=2, person=2, colour="black")
    dress = make.garment("dress", track=3, person=1)
    moments = frames([blue, black], [blue, black, dress], [blue], [blue])
    make.write_all(ReportSink(path), *moments)
    text = path.read_text()
    rows = text[text.index("By person") : text.index("By class")].splitlines()[2:-2]
    assert [row.replace('<td class="number">', "<td>") for row in rows] == [
        "<tr><td>1</td><td>0:00.0</td><td>dress 0:00.0</td></tr>",
        "<tr><td>2</td><td>0:00.3</td><td>blue t-shirt 0:00.3, black pants 0:00.1</td></tr>",
    ]  # fmt: skip
    assert "number 3, person 1, " in text


def record(label, *spans, colour=""):
    return TrackRecord(label, colour, spans=[list(span) for span in spans])


@pytest.mark.parametrize(
    ("tracks", "expected"),
    [
        ([record("pants", (0, 2)), record("pants", (3, 7))], [("pants", 6)]),
        ([record("top", (0, 2), colour="red"), record("t-shirt", (1, 9), colour="blue")],
         [("blue t-shirt", 9)]),
        ([record("upper body", (0, 1)), record("top", (1, 3)), record("shirt", (3, 9))],
         [("shirt", 9)]),
        ([record("top", (0, 9)), record("outwear", (4, 6))], [("top", 9), ("outwear", 2)]),
    ],
)  # fmt: skip
def test_an_outfit_has_a_garment_once(tracks, expected):
    assert outfit(tracks) == expected


def test_time_in_view_is_counted_once():
    assert seconds_in_view([]) == 0
    assert seconds_in_view([record("hat", (0, 4), (6, 7)), record("bag", (3, 5), (1, 2))]) == 6


def test_a_killed_run_leaves_its_last_report(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "SAVE_SECONDS", 0.0)
    sink = ReportSink(tmp_path / "report.html")
    sink.open(make.info())
    for frame in frames([DRESS], [DRESS]):
        sink.write(frame)
    assert "red Dress" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.0"), (3.44, "0:03.4"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_a_long_run_keeps_the_newest_garments_and_counts_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MAX_TRACKS", 20)
    path = tmp_path / "report.html"
    moments = frames(*([make.garment(track=number, colour="red")] for number in range(1, 31)))
    sink = ReportSink(path)
    make.write_all(sink, *moments)
    text = path.read_text()
    assert len(sink._tracks) == 20 and "number 30, " in text and "number 9, " not in text
    assert "30 garments" in text and "10 earlier ones" in text
    assert '<td>Dress</td><td class="number">30</td>' in text and "red 30" in text


def test_a_garment_that_flickers_keeps_a_bounded_number_of_times(monkeypatch):
    monkeypatch.setattr(report, "MAX_SPANS", 2)
    sink = ReportSink(None)
    for now in (0, 1, 5, 6.5, 9):
        sink._extend(DRESS, now)
    assert sink._tracks[1].spans == [[0, 1], [5, 9]]


def test_a_save_that_fails_does_not_end_the_run(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(report, "SAVE_SECONDS", 0.0)
    folder = tmp_path / "there"
    folder.mkdir()
    sink = ReportSink(folder / "report.html")
    sink.open(make.info())
    (folder / "report.html").unlink()
    folder.rmdir()
    for labelled in frames([DRESS], [DRESS]):
        sink.write(labelled)
    assert caplog.text.count("cannot write") == 1
    folder.mkdir()
    sink.close(complete=True)
    assert "2 frames" in (folder / "report.html").read_text()
