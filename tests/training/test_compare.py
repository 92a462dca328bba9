"""Comparisons by the command."""

from training import compare


def test_compare_measures_every_run(published, tmp_path, capsys):
    register = str(published / "runs" / "index.csv")
    assert compare.main([register, "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "compare.md", "compare.csv", "compare.png"
    }  # fmt: skip
    assert "baseline" in capsys.readouterr().out
    assert compare.main([str(tmp_path / "absent.csv")]) == 2
