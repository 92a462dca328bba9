"""Odds of bare limbs: fitted to observations, written beside a parser's weights."""

import shutil

import numpy as np
import pytest

from preprocessing.errors import DataError
from training.inference.pose import LIMB_ODDS
from training.inference.weights import WEIGHTS_DIR
from training.parsing import fit_limbs
from training.parsing.fit_limbs import LimbObservation, fit, fit_odds


def observed(limb, *, skin, uncovered, bare, count=20):
    """Observations around two values."""
    rng = np.random.default_rng(0)
    return [
        LimbObservation(
            limb,
            skin + rng.normal(0, 0.02),
            float(np.clip(uncovered + rng.normal(0, 0.1), 0, 1)),
            bare,
            training=number % 4 > 0,
        )
        for number in range(count)
    ]


OBSERVATIONS = [
    *observed("forearms", skin=0.3, uncovered=0.9, bare=True),
    *observed("forearms", skin=0.05, uncovered=0.1, bare=False),
    *observed("forearms", skin=0.3, uncovered=np.nan, bare=True),
    *observed("shins", skin=0.1, uncovered=0.9, bare=True),
    *observed("shins", skin=0.1, uncovered=0.1, bare=False),
]


def test_odds_separate_bare_from_covered_limbs():
    odds = fit_odds(OBSERVATIONS)
    assert odds.hidden["forearms"][0] > 0
    skin, uncovered, intercept = odds.visible["forearms"]
    assert skin * 0.3 + uncovered * 0.9 + intercept > 0 > skin * 0.05 + uncovered * 0.1 + intercept
    skin, uncovered, intercept = odds.visible["shins"]
    assert skin == 0 and uncovered * 0.9 + intercept > 0 > uncovered * 0.1 + intercept


@pytest.mark.parametrize("found", [[], observed("shins", skin=0, uncovered=1, bare=True)])
def test_too_few_observations_are_refused(found):
    with pytest.raises(DataError, match="too few photos"):
        fit_odds(found)
    if found:
        with pytest.raises(DataError, match="wanted bare and covered limbs"):
            fit(found, ["uncovered"])


def test_the_command_writes_the_file_that_the_app_reads(tmp_path, monkeypatch, capsys):
    shutil.copy(WEIGHTS_DIR / "parser.onnx", tmp_path)
    monkeypatch.setattr(fit_limbs, "read_observations", lambda folder: OBSERVATIONS)
    model = str(tmp_path / "parser.onnx")
    assert fit_limbs.main(["--data", "photos", "--model", model]) == 0
    assert "parser.limbs.json" in capsys.readouterr().out
    assert LIMB_ODDS.read(tmp_path / "parser") == fit_odds(OBSERVATIONS)
