"""The page of results."""

import re
from html.parser import HTMLParser

import pytest

from preprocessing.errors import SinkError
from realtime.bench.speed.html_page import page, write_page
from realtime.bench.speed.plots import STAND_INS, plot
from realtime.bench.speed.results import Results
from realtime.bench.speed.summary import Figures


class Texts(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_holds_plots_tables_commands_and_the_machine(results):
    shown = Texts(page(results))
    assert shown.tags.count("svg") == 3  # programs, sizes, streams
    text = " ".join(shown.texts)
    for part in (
        "Test <CPU>", "without AVX-VNNI", "commit abc1234", "The clip: a.mkv.",
        "5.00 (4.00 to 6.00)", "# peer\npython run_realtime.py --video clip.mp4",
        "left out, MMDetection loop: mmdet is not installed", "Not measured.",
    ):  # fmt: skip
        assert part in text


def test_the_page_needs_nothing_else_and_is_light_or_dark(results):
    text = page(results)
    assert "color-scheme:light dark" in text
    assert not re.search(r"(src|href)=\"?http|@import|<script|<link", text)


def test_plots_take_the_page_s_colours(results):
    drawn = plot(Figures(results), "programs")
    assert "var(--ink)" in drawn and "var(--series-0)" in drawn and "var(--series-1)" in drawn
    assert not any(colour in drawn for colour in STAND_INS.values())
    assert 'viewBox="' in drawn and ' width="' not in drawn.partition(">")[0]
    assert len(set(STAND_INS.values())) == len(STAND_INS)


def test_a_page_of_nothing(results, tmp_path):
    nothing = Results(results.machine, 100)
    assert plot(Figures(nothing), "sizes") == ""
    write_page(tmp_path / "page.html", nothing)
    assert "Not measured." in (tmp_path / "page.html").read_text()
    with pytest.raises(SinkError, match="choose another --html"):
        write_page(tmp_path / "no" / "page.html", nothing)
