"""Recorded networks: the same answers as operator by operator, and what cannot be recorded."""

import pytest
import torch

from training.common import torch_graphs
from training.common.torch_graphs import Recording, Replayed


def rerun(function, given):
    """Stands in for a card's recording: the place of its input and those of its outputs stay."""
    own = given.clone()
    outputs = function(own)

    def replay():
        for place, values in zip(outputs, function(own), strict=True):
            place.copy_(values)

    return Recording(own, outputs, replay)


def double(given):
    return [2 * given, given.sum(dim=1)]


def test_each_shape_is_recorded_on_its_second_call_and_answers_stay_the_callers():
    recorded = []

    def record(function, given):
        recorded.append(tuple(given.shape))
        return rerun(function, given)

    replayed, answers = Replayed(double, record=record), []
    for value in (1.0, 2.0, 3.0, 4.0):
        for shape in ((1, 2), (3, 2)):
            answers.append(replayed(torch.full(shape, value)))
    assert recorded == [(1, 2), (3, 2)]
    assert [first[0, 0].item() for first, _ in answers] == [2, 2, 4, 4, 6, 6, 8, 8]
    assert [second.tolist() for _, second in answers[-2:]] == [[8], [8, 8, 8]]


def refuse(function, given):
    raise RuntimeError("operation not permitted when stream is capturing\nmore")


def wrong(function, given):
    return Recording(given, [one + 1 for one in function(given)], lambda: None)


@pytest.mark.parametrize(
    ("record", "line"), [(refuse, "not permitted"), (wrong, "its answers differ")]
)
def test_what_cannot_be_recorded_or_differs_runs_on_which_is_said_once(caplog, record, line):
    replayed = Replayed(double, record=record)
    for _ in range(4):
        assert replayed(torch.ones(1, 2))[0].tolist() == [[2, 2]]
    assert len(caplog.records) == 1 and line in caplog.text


def test_large_batches_and_many_shapes_are_not_recorded(monkeypatch):
    monkeypatch.setattr(torch_graphs, "MOST_GRAPHS", 1)
    replayed = Replayed(double, record=rerun)
    for count in (torch_graphs.MOST_IMAGES + 1, 1, 2) * 3:
        assert replayed(torch.ones(count, 2))[0].shape == (count, 2)
    assert list(replayed._recordings) == [(1, 2)]
