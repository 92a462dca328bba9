"""Tags of photos of people: what is worn in them, in the words of masks."""

import csv
from pathlib import Path

from preprocessing.errors import DataError, text_errors


def read_tags(path: Path) -> dict[str, frozenset[str]]:
    """Return the tags of photos by their paths, from a CSV file `path,tags`; tags divided by |.

    Raises:
        DataError: the file is missing or damaged, or has no such columns.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file, text_errors(path):
            return {row["path"]: frozenset(row["tags"].split("|")) for row in csv.DictReader(file)}
    except (OSError, KeyError, AttributeError) as error:
        raise DataError(f"cannot read {path} ({error}): wanted path,tags") from error
