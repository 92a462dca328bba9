"""Report of the scores of a model of attributes: report.md and report.json in one folder."""

import json
from pathlib import Path

from training.attributes.metrics import TableScores
from training.common.metrics import attribute_table
from training.common.runs import REPORT


def write_report(folder: Path, scores: TableScores, *, title: str) -> str:
    """Write report.md and report.json into a folder, and return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = attribute_table(scores.all_classes)
    if scores.catch_all:
        text += "\n\n" + attribute_table(scores.without_catch_all, excluded=scores.catch_all)
    (folder / "report.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    (folder / REPORT).write_text(json.dumps(scores.summary(), indent=1) + "\n")
    return text
