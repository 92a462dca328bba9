"""Flags from dataclasses: their names, kinds, defaults, ranges and help."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from preprocessing.errors import UsageError
from preprocessing.flags import FRACTION_BELOW_ONE, POSITIVE, Flag, add_fields, read_fields


@dataclass(frozen=True, kw_only=True)
class Base:
    epochs: Annotated[int, Flag("passes", POSITIVE, "N", "training")] = 12
    size: Annotated[int, Flag("side", POSITIVE, "PIXELS", name="--image-size")] = 28
    inner: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Settings(Base):
    size: int = 32  # no flag any more
    data: Annotated[Path, Flag("folder", metavar="DIR")]
    dropout: Annotated[float, Flag("of the head, in %", FRACTION_BELOW_ONE, hidden=("--drop",))] = (
        0.0
    )
    classes: Annotated[tuple[str, ...], Flag("only these", default="all")] = ()
    boxed: Annotated[tuple[Path, ...], Flag("folders", nargs="+")] = ()
    frozen: Annotated[bool, Flag("train the head alone")] = False
    resume: Annotated[bool, Flag("go on")] = True
    mode: Annotated[str | None, Flag("mode", choices=("a", "b"))] = None


def parser(source, *, text=False):
    arguments = argparse.ArgumentParser(exit_on_error=False)
    add_fields(arguments, source, text=text)
    return arguments


def read(*argv, source=Settings):
    return read_fields(source, parser(source).parse_args(["--data", "d", *argv]))


@pytest.mark.parametrize(
    ("argv", "field", "value"),
    [
        ([], "epochs", 12),
        (["--epochs", "3"], "epochs", 3),
        ([], "data", Path("d")),
        (["--dropout", "0.25"], "dropout", 0.25),
        (["--drop", "0.25"], "dropout", 0.25),
        (["--classes", "a,b"], "classes", ("a", "b")),
        (["--boxed", "x", "y"], "boxed", (Path("x"), Path("y"))),
        (["--frozen"], "frozen", True),
        ([], "resume", True),
        (["--resume"], "resume", True),
        (["--no-resume"], "resume", False),
        (["--mode", "b"], "mode", "b"),
    ],
)
def test_values(argv, field, value):
    assert getattr(read(*argv), field) == value


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["--epochs", "0"], "--epochs: must be above 0, got 0"),
        (["--epochs", "x"], "must be a whole number, got 'x'"),
        (["--dropout", "1"], "must be 0 to below 1"),
        (["--dropout", "nan"], "must be 0 to below 1"),
        (["--mode", "c"], "invalid choice"),
    ],
)
def test_refused_values(argv, reason):
    with pytest.raises(argparse.ArgumentError, match=reason):
        read(*argv)


def test_the_help_has_the_defaults_of_an_instance():
    text = parser(Settings(data=Path("d"), epochs=7)).format_help()
    assert "(default 7)" in text and "training:" in text and "in % (default 0)" in text
    assert "--drop " not in text and "--image-size" not in text and "--inner" not in text
    assert "(default all)" in text


def test_what_is_not_given_keeps_the_value_of_an_instance():
    began = Settings(data=Path("d"), epochs=7, inner=0.1)
    assert read(source=began) == began
    assert read("--epochs", "9", source=began).epochs == 9
    assert read_fields(began, argparse.Namespace(inner=3.0, mode="a"), inner=1.0).inner == 1.0


def test_a_missing_flag_is_asked_for():
    with pytest.raises(UsageError, match=r"give --data .*\("):
        read_fields(Settings, argparse.Namespace(epochs=3))


def test_as_text_nothing_is_checked_or_required():
    arguments = parser(Settings, text=True)
    add_fields(arguments, Base, text=True)  # has flags of the same names
    found, rest = arguments.parse_known_args(["--epochs", "x", "--mode", "c", "--new", "1"])
    assert vars(found) == {"epochs": "x", "mode": "c"} and rest == ["--new", "1"]
