"""Rows as tables of pandas and polars, which are optional packages."""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from preprocessing.errors import UsageError
from realtime.sinks.rows import COLUMNS, Row, flat

if TYPE_CHECKING:
    import pandas
    import polars

# The types of the columns in pandas; missing people are <NA>.
PANDAS = {
    "frame": "int64", "time": "float64", "track": "int64", "person": "Int64",
    "x1": "float64", "y1": "float64", "x2": "float64", "y2": "float64",
    "label": "string", "probability": "float64", "path": "string", "held": "bool",
    "colour": "string", "attributes": "object", "zones": "string",
}  # fmt: skip


def package(name: str) -> Any:
    """Return an optional package, to which `to_NAME()` converts.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(f"to_{name}() needs {name}: pip install {name}") from error


def to_pandas(rows: Sequence[Row]) -> "pandas.DataFrame":
    """Return rows as a pandas.DataFrame; attributes are dictionaries.

    Raises:
        UsageError: pandas is not installed.
    """
    pandas = package("pandas")
    table = pandas.DataFrame(list(map(flat, rows)), columns=list(COLUMNS))
    return table.astype(PANDAS)


def to_polars(rows: Sequence[Row]) -> "polars.DataFrame":
    """Return rows as a polars.DataFrame; attributes are lists of key and value, as from Parquet.

    Raises:
        UsageError: polars is not installed.
    """
    polars = package("polars")
    pairs = [[{"key": key, "value": value} for key, value in row["attributes"].items()]
             for row in rows]  # fmt: skip
    flat_rows = [flat(row) | {"attributes": some} for row, some in zip(rows, pairs, strict=True)]
    kinds = {"int64": polars.Int64, "float64": polars.Float64, "string": polars.String,
             "bool": polars.Boolean, "Int64": polars.Int64}  # fmt: skip
    pair = polars.Struct({"key": polars.String, "value": polars.String})
    schema = {name: kinds.get(kind, polars.List(pair)) for name, kind in PANDAS.items()}
    return polars.DataFrame(flat_rows, schema=schema)
