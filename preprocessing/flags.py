"""Flags of commands: the parser of their arguments, and flags that are fields of dataclasses.

A field's annotation describes its flag, its value is the default:

    @dataclass(frozen=True)
    class Settings:
        epochs: Annotated[int, Flag("passes over the training images", POSITIVE)] = 12

`add_fields(arguments, Settings)` adds `--epochs N`, and `read_fields(Settings, args)` gives the
Settings of the flags that were given. Both also take an instance, whose values are the defaults.
"""

import argparse
import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn, Protocol, TypeVar

from preprocessing.errors import UsageError

DATA_STATUS = (
    "exit status: 0 done, 2 wrong flag, 5 output cannot be written, 8 data set missing or damaged"
)


class Arguments(argparse.ArgumentParser):
    """Arguments whose errors are one line, which proposes the nearest flag for an unknown one.

    Flags are not abbreviated, and positional arguments may stand anywhere between them.

    Args:
        hints: unknown flags that people try, and what to give instead.
    """

    def __init__(
        self,
        *,
        prog: str,
        description: str,
        epilog: str | None = None,
        usage: str | None = None,
        hints: Mapping[str, str] | None = None,
    ):
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            usage=usage,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self._hints = hints or {}

    def parse(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """Return the values of all arguments; exit with status 2 if one is wrong."""
        values, unknown = self.parse_known_intermixed_args(argv)
        if unknown:
            self.error(self._unknown(unknown[0].partition("=")[0]))
        return values

    def error(self, message: str) -> NoReturn:
        """Exit with one line on stderr."""
        self.exit(UsageError.status, f"error: {message} (flags: {self.prog} --help)\n")

    def _unknown(self, flag: str) -> str:
        shown = (a.option_strings for a in self._actions if a.help != argparse.SUPPRESS)
        known = [name for names in shown for name in names]
        nearest = self._hints.get(flag) or next(iter(difflib.get_close_matches(flag, known)), "")
        return f"unknown flag {flag}" + (f": did you mean `{nearest}`?" if nearest else "")


def data_arguments(module: str, description: str, *, example: str) -> Arguments:
    """Arguments of a command that reads or writes data sets.

    Args:
        module: of the command, by its dotted name.
        example: arguments that are shown after the flags.
    """
    prog = f"python -m {module}"
    epilog = f"example:\n  {prog} {example}\n\n{DATA_STATUS}"
    return Arguments(prog=prog, description=description, epilog=epilog)


class Dataclass(Protocol):
    """Any instance of a dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


D = TypeVar("D", bound=Dataclass)


@dataclass(frozen=True)
class Check:
    """Range of a number: in words for people, and as a test."""

    words: str
    passes: Callable[[Any], bool]


POSITIVE = Check("above 0", lambda value: value > 0)
NOT_NEGATIVE = Check("0 or more", lambda value: value >= 0)
FRACTION = Check("0 to 1", lambda value: 0 <= value <= 1)
FRACTION_BELOW_ONE = Check("0 to below 1", lambda value: 0 <= value < 1)
FRACTION_ABOVE_ZERO = Check("above 0 to 1", lambda value: 0 < value <= 1)
PROPER_FRACTION = Check("above 0 to below 1", lambda value: 0 < value < 1)


@dataclass(frozen=True)
class Flag:
    """The flag of a dataclass's field.

    Attributes:
        help: meaning and unit; the default is added to it.
        check: range of its number.
        metavar: its value in the help.
        group: title of its group in the help.
        choices: its only values.
        name: its spelling; by default "--" and the field's name. Without dashes it is positional.
        short: a second, shorter spelling such as "-o".
        hidden: earlier spellings, which are still read.
        default: the default in words, where the field's value does not say it.
        nargs: as in argparse; a tuple without it is read from one comma-separated value.
        required: True if the flag must be given where the field has no default.
        reads: converts the text of a value that is no plain number or text; raises ValueError.
        wanted: what it converts, in words.
    """

    help: str
    check: Check | None = None
    metavar: str | None = None
    group: str = ""
    choices: Sequence[str] = ()
    name: str = ""
    short: str = ""
    hidden: Sequence[str] = ()
    default: str = ""
    nargs: str | None = None
    required: bool = True
    reads: Callable[[str], object] | None = None
    wanted: str = ""


@dataclass(frozen=True)
class FlagField:
    """A field with its flag; `kind` is the type of one value, `value` the default or MISSING."""

    field: str
    flag: Flag
    kind: type
    is_tuple: bool
    value: object

    @property
    def name(self) -> str:
        """The flag's spelling."""
        return self.flag.name or "--" + self.field.replace("_", "-")

    def read(self, text: str) -> object:
        """The value of one argument.

        Raises:
            argparse.ArgumentTypeError: it is out of range, or none of the kind.
        """
        if self.is_tuple and not self.flag.nargs and not self.flag.reads:
            return tuple(filter(None, text.split(",")))
        try:
            value = (self.flag.reads or self.kind)(text)
        except ValueError as error:
            wanted = self.flag.wanted or {int: "a whole number", float: "a number"}[self.kind]
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}") from error
        if self.flag.check and not self.flag.check.passes(value):
            raise argparse.ArgumentTypeError(f"must be {self.flag.check.words}, got {text}")
        return value


def flag_fields(source: Dataclass | type[Dataclass]) -> Iterator[FlagField]:
    """The fields of a dataclass, or of an instance, that have a flag."""
    kind = source if isinstance(source, type) else type(source)
    hints = typing.get_type_hints(kind, include_extras=True)
    for field in dataclasses.fields(kind):
        flag = next((m for m in getattr(hints[field.name], "__metadata__", ())
                     if isinstance(m, Flag)), None)  # fmt: skip
        if flag is not None:
            value = field.default if isinstance(source, type) else getattr(source, field.name)
            yield FlagField(field.name, flag, *_kind_of(hints[field.name].__origin__), value)


def _kind_of(hint: Any) -> tuple[type, bool]:
    """The type of one value, and True if there may be several."""
    members = typing.get_args(hint)
    if isinstance(hint, types.UnionType):  # with None
        return _kind_of(next(one for one in members if one is not type(None)))
    return (members[0], True) if typing.get_origin(hint) is tuple else (hint, False)


def add_fields(
    arguments: argparse.ArgumentParser, source: Dataclass | type[Dataclass], *, text: bool = False
) -> None:
    """Add the flags of a dataclass; those that are not given leave no trace in the namespace.

    Args:
        text: leave values as they are given, and skip flags that are there already: for a first
            reading, which only finds what decides about the other flags.
    """
    groups: dict[str, argparse._ArgumentGroup] = {}
    for one in flag_fields(source):
        if text and one.name in _names(arguments):
            continue
        title = one.flag.group
        if title and title not in groups:
            there = (group for group in arguments._action_groups if group.title == title)
            groups[title] = next(there, None) or arguments.add_argument_group(title)
        _add_field(groups.get(title, arguments), one, text=text)


def _names(arguments: argparse.ArgumentParser) -> set[str]:
    """The spellings of all flags, and the names of positional arguments."""
    return {
        name for action in arguments._actions for name in action.option_strings or [action.dest]
    }


def _add_field(
    target: argparse.ArgumentParser | argparse._ArgumentGroup, one: FlagField, *, text: bool
) -> None:
    flag, options = one.flag, _options(one, text=text)
    if not one.name.startswith("-"):
        if text:
            options["nargs"] = "?"
        elif flag.nargs == "?":
            options["default"] = argparse.SUPPRESS
        target.add_argument(one.name, help=_help(one), **options)
        return
    required = one.value is dataclasses.MISSING and flag.required and not text
    options |= {"dest": one.field, "default": argparse.SUPPRESS}
    names = filter(None, (flag.short, one.name))
    target.add_argument(*names, help=_help(one), required=required, **options)
    if flag.hidden:
        target.add_argument(*flag.hidden, help=argparse.SUPPRESS, **options)


def _options(one: FlagField, *, text: bool) -> dict[str, Any]:
    if one.kind is bool:  # without a default, or with True, --no-NAME says False
        both = one.value is None or one.value is True
        return {"action": argparse.BooleanOptionalAction if both else "store_true"}
    options: dict[str, Any] = {"nargs": one.flag.nargs, "metavar": one.flag.metavar}
    if text:
        return options
    return options | {"type": one.read, "choices": tuple(one.flag.choices) or None}


def _help(one: FlagField) -> str:
    default = one.flag.default or _shown(one.value)
    return (one.flag.help + (f" (default {default})" if default else "")).replace("%", "%%")


def _shown(value: object) -> str:
    if value is None or value is dataclasses.MISSING or isinstance(value, (bool, tuple)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_fields(source: D | type[D], args: argparse.Namespace, **values: object) -> D:
    """A dataclass of the flags that were given and further values; the rest as in `source`.

    Raises:
        UsageError: a flag is missing, and its field has no default.
    """
    given, flags = vars(args), list(flag_fields(source))
    names = {one.field for one in flags} & given.keys()
    chosen: dict[str, Any] = {name: given[name] for name in names} | values
    missing = [one for one in flags if one.value is dataclasses.MISSING and one.field not in chosen]
    if missing:
        wanted = " and ".join(f"{one.name} {one.flag.metavar or ''}" for one in missing)
        raise UsageError(f"give {wanted} ({'; '.join(one.flag.help for one in missing)})")
    chosen = {name: tuple(v) if isinstance(v, list) else v for name, v in chosen.items()}
    if isinstance(source, type):
        return source(**chosen)
    return dataclasses.replace(source, **chosen)
