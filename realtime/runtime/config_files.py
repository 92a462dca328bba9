"""`--config FILE.toml`: the settings of a camera, which are flags by their names.

source = "rtsp://camera/stream"
colour = true
events = "events.jsonl"
rule = ["zone floor without hat"]
[zone]
floor = [0.2, 0.5, 0.8, 0.5, 0.8, 1.0, 0.2, 1.0]
"""

import argparse
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from preprocessing.errors import UsageError

FLAG, SOURCE = "--config", "source"


def config_of(argv: Sequence[str]) -> Path | None:
    """Return the file that the last --config of a command line names; None for none."""
    found = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    found.add_argument(FLAG, type=Path)
    try:
        return found.parse_known_args(list(argv))[0].config
    except argparse.ArgumentError as error:
        raise UsageError("--config needs a file: --config camera.toml") from error


def read_config(path: Path, actions: Sequence[argparse.Action]) -> tuple[list[str], list[str]]:
    """Return the sources of a file, and its other settings as a command line has them.

    Args:
        actions: of the flags that there are.

    Raises:
        UsageError: it cannot be read, or names a setting that there is not.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read --config {path} ({reason})") from error
    sources = values.pop(SOURCE, [])
    sources = [str(one) for one in (sources if isinstance(sources, list) else [sources])]
    flags = {name: action for action in actions for name in action.option_strings}
    return sources, [word for name, value in values.items()
                     for word in _words(path, name, value, flags)]  # fmt: skip


def _words(path: Path, name: str, value: Any, flags: dict[str, argparse.Action]) -> Iterator[str]:
    flag = f"--{name.replace('_', '-')}"
    action = flags.get(flag)
    if action is None or flag == FLAG:
        raise UsageError(f"--config {path}: there is no setting {name}; its settings are the flags "
                         "of --help, without their dashes")  # fmt: skip
    if isinstance(value, bool):
        yield from _switch(path, name, value, action)
    elif isinstance(value, dict):
        for key, numbers in value.items():
            yield f"{flag}={key}={_text(numbers)}"
    elif isinstance(value, list) and isinstance(action, argparse._AppendAction):
        nested = value and isinstance(value[0], int | float)
        for one in [value] if nested else value:
            yield f"{flag}={_text(one)}"
    elif isinstance(value, list) and action.nargs == "+":
        yield from (flag, *map(_text, value))
    else:
        yield f"{flag}={_text(value)}"


def _switch(path: Path, name: str, value: bool, action: argparse.Action) -> Iterator[str]:
    """The flag that says true or false; none for a false that is the default."""
    if isinstance(action, argparse.BooleanOptionalAction):
        yield next(one for one in action.option_strings if one.startswith("--no-") != value)
    elif action.nargs in (0, "?"):
        yield from [action.option_strings[-1]] if value else []
    else:
        raise UsageError(f"--config {path}: {name} is no switch, got {str(value).lower()}")


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
