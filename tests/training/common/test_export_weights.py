"""The two files of a network are compared before they are published."""

import numpy as np
import pytest

from preprocessing.errors import WeightsError
from training.common.export_weights import compare_logits, compare_outputs


@pytest.mark.parametrize(("difference", "agree"), [(0.0, True), (0.1, True), (0.2, False)])
def test_outputs_within_the_limit(tmp_path, difference, agree):
    first = np.zeros((2, 3))
    if agree:
        compare_outputs(tmp_path, first, first + difference, limit=0.15, unit="pixels")
    else:
        with pytest.raises(WeightsError, match=r"0\.2 pixels, allowed 0\.15"):
            compare_outputs(tmp_path, first, first + difference, limit=0.15, unit="pixels")


def test_rounding_grows_with_the_logits(tmp_path):
    large = np.full((1, 2), 1000.0)
    compare_logits(tmp_path, large + 1, large)
    with pytest.raises(WeightsError):
        compare_logits(tmp_path, large / 1000 + 1, large / 1000)
    with pytest.raises(WeightsError, match="nan"):
        compare_logits(tmp_path, large * np.nan, large)
