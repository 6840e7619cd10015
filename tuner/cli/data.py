"""`tuner data show`: what a dataset is, before anything is trained on it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tuner.cli.flags import SEED, flag, takes
from tuner.cli.output import columns_of, emit, format_option
from tuner.cli.refusals import Commands
from tuner.cli.row_flags import RowFlags
from tuner.cli.study_flags import one_of

if TYPE_CHECKING:
    from tuner.data.dataset import Dataset

_PICTURES = 20
_CLASSES = 30


@dataclass(frozen=True)
class DataFlags(RowFlags):
    """What `tuner.data.load.load_dataset` takes besides the URI."""

    seed: int = flag(None, "For --limit, --test-share.", type=SEED, default=0, show_default=True)


@click.group(cls=Commands)
def data() -> None:
    """Show a dataset."""


class _NamingSources(click.Command):
    """A command whose help names the schemes of a URI, once somebody asks for it."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from tuner.data.sources import SOURCES

        schemes = [
            f"{name}:{'NAME' if source.names else source.what.split()[0]}"
            for name, source in SOURCES.items()
        ]
        self.help = (self.help or "").format(schemes=one_of(schemes))
        super().format_help_text(ctx, formatter)


@data.command(cls=_NamingSources)
@click.argument("uri", default="sklearn:digits")
@takes(flags=DataFlags)
@format_option
def show(uri: str, flags: DataFlags) -> None:
    """Show shape, types, task, classes and hash of URI, and one image of each class.

    URI is {schemes}.
    """
    from tuner.data.facts import facts
    from tuner.data.load import load_dataset
    from tuner.data.sources import READING, Reading

    given = flags.given()
    scaling = given.pop("scaling", "auto")
    reading = Reading(**{name: given.pop(name) for name in READING if name in given})
    dataset = load_dataset(uri, **given, reading=reading, seed=flags.seed)
    known = facts(dataset, scaling)
    emit(known, table=lambda: _table(dataset, known))


def _table(dataset: Dataset, known: dict[str, Any]) -> str:
    shape = known["image_shape"]
    image = f" (images of {' x '.join(map(str, shape))}, flattened)" if shape else ""
    scale = known["byte_scale"]
    of_bytes = f" (bytes, times 1/{round(1 / scale)})"
    values = f"{known['range'][0]:g} to {known['range'][1]:g}"
    lines = [
        ["data", known["uri"]],
        ["task", known["task"]],
        ["rows", f"{known['rows']}"],
        ["test rows", f"{known['test_rows'] or 'none'}"],
        ["features", f"{known['features']}{image}"],
        ["type", f"{known['dtype']}{of_bytes if scale != 1.0 else ''}"],
        *([] if "columns" in known else [["range", values]]),
        ["scaling", f"{known['scaling']} (per fold, unless told otherwise)"],
    ]
    if known["target"]:
        lines.append(["target", ", ".join(known["target"])])
    if known["groups"]:
        lines.append(["groups", str(known["groups"])])
    for number, values in enumerate(known.get("targets", [])):
        label = "values" if known["outputs"] == 1 else f"values {number}"
        told = "{min:g} to {max:g}, mean {mean:g}".format(**values)
        quarters = "{quarter:g}, {median:g}, {three_quarters:g}".format(**values)
        lines += [[label, told], ["quartiles", quarters]]
    if "classes" in known:
        lines.append(["classes", str(len(known["classes"]))])
    lines.append(["hash", known["hash"]])
    parts = [columns_of(lines[0], lines[1:])]
    if "columns" in known:
        parts.append(_columns(known["columns"]))
    if "classes" in known:
        listed = known["classes"][:_CLASSES]
        table = columns_of(["class", "rows"], [[str(c["class"]), str(c["rows"])] for c in listed])
        more = len(known["classes"]) - len(listed)
        parts.append(table + (f"\n... and {more} more classes" if more else ""))
    parts.extend(known["notes"])
    parts.extend(_pictures(dataset))
    return "\n\n".join(parts)


def _columns(columns: list[dict[str, Any]]) -> str:
    """A line a column, of 80 characters at most; `!` marks those with a warning."""
    rows = [
        [
            _cut(f"{'! ' if own['warnings'] else ''}{own['name']}", 18),
            own["kind"],
            str(own["gaps"]),
            str(own["distinct"]),
            _cut(own["becomes"].split(":")[0], 22),
        ]
        for own in columns
    ]
    header = ["column", "kind", "gaps", "values", "becomes"]
    width = len(columns_of(header, rows).split("\n", 1)[0].split("becomes")[0]) + 2
    width += max(len(row[-1]) for row in (header, *rows))
    examples = [_cut(", ".join(own["examples"]), max(8, 80 - width)) for own in columns]
    return columns_of(
        [*header, "examples"], [[*row, own] for row, own in zip(rows, examples, strict=True)]
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 2]}.."


def _pictures(dataset: Dataset) -> list[str]:
    from tuner.data.facts import examples
    from tuner.data.picture import ASCII, BLOCKS, draw, side_by_side

    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
        shades = BLOCKS
    except UnicodeEncodeError:
        shades = ASCII
    drawn = [(title, draw(image, shades)) for title, image in examples(dataset, _PICTURES)]
    return [side_by_side(drawn, shutil.get_terminal_size().columns)] if drawn else []
