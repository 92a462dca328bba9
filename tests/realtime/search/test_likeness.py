"""Search by example: the nearest embeddings, in rows and in summaries."""

import numpy as np
import pytest

from realtime.search.likeness import nearest
from realtime.search.reader import Reader
from realtime.search.storage import RunWriter, compact

UNIT = np.eye(160, dtype=np.float32)


@pytest.mark.parametrize("summarised", [False, True])
def test_the_nearest_first(tmp_path, stays, summarised):
    for number, one in enumerate(stays):
        one.embedding = ((UNIT[number] + UNIT[9]) / 2**0.5).astype(np.float16).tobytes()
    stays[2].crowding = 0.6  # it is like many
    stays[5].embedding = stays[5].crowding = None
    writer = RunWriter(tmp_path, "run")
    writer.open()
    writer.append(stays)
    writer.close()
    if summarised:
        compact(tmp_path)
    reader = Reader(tmp_path)
    example = (0.8 * UNIT[1] + 0.6 * UNIT[9])[None]
    found = reader.on_files(lambda base, files: nearest(base, files, example, np.zeros(1), count=5))
    reader.close()
    assert found.stays.tolist()[0] == 2 and found.stays.tolist()[-1] == 3
    assert sorted(found.stays.tolist()) == [1, 2, 3, 4, 5]
    assert found.scores[0] == pytest.approx(1.4 / 2**0.5, abs=1e-3)
    assert found.scores[-1] == pytest.approx(0.6 / 2**0.5 - 0.3, abs=1e-3)
