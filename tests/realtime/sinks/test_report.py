"""The report: the garments of a run and their times in view, also of one that is killed."""

import make
import pytest

from realtime.sinks import report
from realtime.sinks.report import ReportSink, clock

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
    assert "red Dress" in text and "blue Coat" in text
    assert list(tmp_path.iterdir()) == [path]


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
