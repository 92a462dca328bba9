"""Attribute tables: a CSV with a file name and one column per attribute, some values missing."""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from preprocessing.errors import DataError

MISSING = -1  # in place of a class's number
MISSING_CODE = "#N/A"  # as tables are written
MISSING_CODES = frozenset(("", "#n/a", "nan"))  # read as missing, in any case
GROUP_COLUMN = "group"
FILE_COLUMNS = ("filename", "file", "image", "image_name", "path", "name")
# Views of one product differ in a final number of one or two digits: "shirt-3.jpg".
VIEW = re.compile(r"[-_]\d{1,2}$")


@dataclass(frozen=True)
class Attribute:
    """A column of a table.

    Attributes:
        codes: its classes as the table writes them, in the order of their numbers.
        titles: their names for people; equal to the codes without a label map.
        kind: what a network predicts: "one" class, "several", or numbers ("box", "points").
    """

    name: str
    codes: tuple[str, ...]
    titles: tuple[str, ...]
    kind: str = "one"

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class AttributeTable:
    """Pictures with one class per attribute.

    Attributes:
        file_column: the header over the file names.
        names: file names (N,), as the table writes them.
        groups: the product of each picture (N,).
        values: int64 (N, attributes), numbers of classes or MISSING.
    """

    file_column: str
    attributes: tuple[Attribute, ...]
    names: tuple[str, ...]
    groups: tuple[str, ...]
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: Sequence[int] | np.ndarray) -> "AttributeTable":
        """Some of its rows, in the given order."""
        rows = np.asarray(rows, dtype=int)
        names, groups = (tuple(some[row] for row in rows) for some in (self.names, self.groups))
        return replace(self, names=names, groups=groups, values=self.values[rows])

    def with_values(self, values: np.ndarray) -> "AttributeTable":
        """The same rows with other classes."""
        return replace(self, values=values)

    def repeated(self) -> dict[str, np.ndarray]:
        """Names that occur more than once, with the numbers of their rows."""
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(self.names):
            rows.setdefault(name, []).append(row)
        return {name: np.array(found) for name, found in rows.items() if len(found) > 1}

    def conflicts(self) -> list[str]:
        """Names whose rows differ."""
        return [
            name
            for name, rows in self.repeated().items()
            if (self.values[rows] != self.values[rows[0]]).any()
        ]

    def merged(self) -> "AttributeTable":
        """One row per name, with the values that its rows know and agree on."""
        repeated = self.repeated()
        first = {name: int(rows[0]) for name, rows in repeated.items()}
        kept = [row for row, name in enumerate(self.names) if first.get(name, row) == row]
        values = self.values.copy()
        for rows in repeated.values():
            for column in range(values.shape[1]):
                known = set(values[rows, column].tolist()) - {MISSING}
                values[rows[0], column] = known.pop() if len(known) == 1 else MISSING
        return self.with_values(values).take(kept)


def read_table(
    path: Path, *, label_map: Path | None = None, group_column: str = GROUP_COLUMN
) -> AttributeTable:
    """Read a CSV whose file names are in a column of FILE_COLUMNS, or in the first one.

    The product of a picture is its value in the group column or, without one, taken from its file
    name. Classes come from the label map or, sorted, from the data; "3.0" means 3, since programs
    write integers as floats where a column has missing values.

    Raises:
        DataError: no such file, no rows, a row of another length, no such group column, or a class
            that the label map does not know.
    """
    header, rows = _read_rows(path)
    column = next((i for i, name in enumerate(header) if name.lower() in FILE_COLUMNS), 0)
    titles = read_label_map(label_map) if label_map else {}
    strange = sorted(titles.keys() - set(header))
    if strange:
        raise DataError(f"{label_map} names {', '.join(strange)}: {path} has {', '.join(header)}")
    attributes, columns = [], []
    for index, name in enumerate(header):
        if name not in (header[column], group_column):
            codes = [_code(row[index]) for row in rows]
            attribute = _attribute(name, codes, titles.get(name))
            numbers = {code: number for number, code in enumerate(attribute.codes)}
            unknown = sorted(set(codes) - numbers.keys() - {MISSING_CODE})
            if unknown:
                raise DataError(f"{path}: {name} {unknown[0]!r} is not in {label_map}")
            attributes.append(attribute)
            columns.append([numbers.get(code, MISSING) for code in codes])
    values = np.array(columns, dtype=np.int64).T
    names = tuple(row[column].strip() for row in rows)
    if group_column in header:
        groups = tuple(row[header.index(group_column)].strip() for row in rows)
    elif group_column == GROUP_COLUMN:
        groups = tuple(map(product_of, names))
    else:
        raise DataError(f"{path} has no column {group_column}: it has {', '.join(header)}")
    return AttributeTable(header[column], tuple(attributes), names, groups, values)


def _read_rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            rows = list(_whole_rows(reader, path, len(header)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read the table {path} ({error})") from error
    if len(header) < 2 or len(set(header)) < len(header) or not rows:
        raise DataError(f"{path}: wanted a header with a file name and one column per attribute, "
                        f"and rows; got {', '.join(header) or 'nothing'}")  # fmt: skip
    return header, rows


def _whole_rows(reader: Iterator[list[str]], path: Path, width: int) -> Iterator[list[str]]:
    for number, row in enumerate(reader, start=2):
        if row and len(row) != width:
            raise DataError(f"{path}, row {number}: {len(row)} columns, wanted {width}")
        if row:
            yield row


def _code(text: str) -> str:
    text = text.strip()
    if text.lower() in MISSING_CODES:
        return MISSING_CODE
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text


def _attribute(name: str, codes: list[str], titles: Mapping[str, str] | None) -> Attribute:
    if titles is not None:
        return Attribute(name, tuple(titles), tuple(titles.values()))
    known = sorted(set(codes) - {MISSING_CODE}, key=_numbers_first)
    return Attribute(name, tuple(known), tuple(known))


def _numbers_first(code: str) -> tuple[int, int, str]:
    return (0, int(code), "") if re.fullmatch(r"-?\d+", code) else (1, 0, code)


def read_label_map(path: Path) -> dict[str, dict[str, str]]:
    """Read a JSON file {"neck": {"0": "henley", ...}, ...}: titles by code, by attribute.

    Raises:
        DataError: it does not have that form.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): {str(code): str(title) for code, title in titles.items()}
            for name, titles in found.items()
        }
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: wanted JSON like {{\"neck\": {{\"0\": \"henley\"}}}} "
                        f"({error})") from error  # fmt: skip


def write_table(path: Path, table: AttributeTable) -> None:
    """Write a table as CSV in its own codes, missing ones as MISSING_CODE, with its groups."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([table.file_column, *(a.name for a in table.attributes), GROUP_COLUMN])
        for name, group, row in zip(table.names, table.groups, table.values, strict=True):
            writer.writerow([name, *codes_of(table.attributes, row), group])


def codes_of(attributes: Sequence[Attribute], numbers: Sequence[int] | np.ndarray) -> list[str]:
    """A row of class numbers as codes of the table; a number out of range counts as missing."""
    return [
        attribute.codes[number] if 0 <= number < len(attribute) else MISSING_CODE
        for attribute, number in zip(attributes, numbers, strict=True)
    ]


def product_of(name: str) -> str:
    """The product of a view: the file's name without its final, short number."""
    return VIEW.sub("", Path(name).stem)
