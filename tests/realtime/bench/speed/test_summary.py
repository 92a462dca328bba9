"""Figures and tables."""

from bench_results import run

from realtime.bench.speed.summary import Figures, Spread, digits, spread, table_of, text


def test_a_spread_is_median_and_range():
    assert spread([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0, 3)
    assert spread([]) is None
    assert str(spread([3.0])) == "3.00" and str(spread([10.0, 2000.0])) == "1,005 (10.0 to 2,000)"
    assert digits(0.0) == "0.00"


def test_ratios_are_formed_within_a_round(results):
    # 20 s over 5 s, and 24 s over 4 s
    ratio = Figures(results).ratios("default, openvino", "peer")
    assert ratio == Spread(5.0, 4.0, 6.0, 2)


def test_the_start_is_not_part_of_a_frame_s_cost(results):
    figures = Figures(results)
    one = figures.runs("sizes", "default", 480)[0]
    assert figures.frame_ms(one) == 1000 * (2.0 - 1.0) / 25
    assert figures.cpu_ms(one) == 1000 * (8.0 - 1.0) / 25


def test_a_shorter_clip_is_scaled_without_the_start(results):
    short = run("programs", "peer", frames=51, seconds=10.0)
    assert Figures(results).whole(short) == 3.0 + (10.0 - 3.0) * 98 / 49


def test_tables(results):
    figures = Figures(results)
    head, rows = table_of(figures, "programs")
    assert head[-1] == "default, openvino / this"
    assert rows[0][:2] == ("default, openvino", "22.5 (20.0 to 25.0)") and rows[0][-1] == "1"
    assert rows[1][-2:] == ("2", "5.00 (4.00 to 6.00)")
    head, rows = table_of(figures, "sizes")
    assert head[1:] == ("ms a frame, 240 lines", "ms a frame, 480 lines", "n")
    assert rows[0] == ("default", "20.0", "40.0", "1")
    assert rows[1] == ("yolo predict, OpenVINO", "", "200", "1")
    assert rows[2] == ("speed of default / yolo predict, OpenVINO", "", "5.00", "1")
    _, rows = table_of(figures, "streams")
    assert rows == [("default", "8", "120", "60.0", "20.0", "50.0", "120", "2.00", "1")]


def test_text_names_what_is_left_out(results):
    shown = text(results)
    assert "- left out, MMDetection loop: mmdet is not installed" in shown
    assert "Cost against people" not in shown
