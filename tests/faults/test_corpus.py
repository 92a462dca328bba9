"""What the fuzzer found once, and where it starts from, parses or is refused by name."""

from pathlib import Path

import fuzz_targets
import pytest

CORPUS = sorted(path for path in Path(__file__).with_name("corpus").rglob("*") if path.is_file())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_corpus(path):
    fuzz_targets.parse(path.parent.name, path.read_bytes())


def test_every_target_has_a_corpus():
    assert {path.parent.name for path in CORPUS} == set(fuzz_targets.TARGETS)
