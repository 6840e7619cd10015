"""`tuner export` and `tuner predict`: from a study to a model, from a model to answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from tuner.cli.flags import COUNT, TRIAL, choose_option, storage_option
from tuner.cli.opening import reading
from tuner.cli.output import columns_of, emit, format_option, tell
from tuner.cli.refusals import OneOf
from tuner.cli.run_flags import trust_option
from tuner.errors import UsageError
from tuner.text import score_text

if TYPE_CHECKING:
    from tuner.export.ensemble import EnsembleKind
    from tuner.export.wanted import CalibrationKind
    from tuner.results.ranking import Choice


#: What `settings.json` holds of some exports.
_OF_THE_KIND = ("epochs", "ensemble", "calibration")


@click.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder to make; it must be new or empty.",
)
@click.option(
    "--trial",
    "number",
    type=TRIAL,
    metavar="N",
    help="Export this trial instead of the best one.",
)
@choose_option
@click.option(
    "--ensemble",
    type=OneOf(("folds", "selection")),
    help="Instead of one network trained on all rows, the mean of the trial's fold networks, each "
    "trained again from its own seed; or of those of several trials, chosen by ensemble selection.",
)
@click.option(
    "--ensemble-trials",
    type=COUNT,
    metavar="M",
    default=10,
    show_default=True,
    help="A selection chooses among the M best trials.",
)
@click.option(
    "--calibrate",
    type=OneOf(("temperature",)),
    help="Divide the logits by the temperature of the least log loss on rows that the folds' "
    "networks have not trained on.",
)
@click.option("--force", is_flag=True, help="Replace an earlier export in DIR.")
@storage_option
@trust_option
@format_option
def export(
    name: str,
    out: Path,
    number: int | None,
    choose: Choice,
    ensemble: EnsembleKind | None,
    ensemble_trials: int,
    calibrate: CalibrationKind | None,
    force: bool,
    storage: str | None,
    trust_code: bool,
) -> None:
    """Refit the best trial of study NAME on all search rows and write it as plain Keras.

    DIR gets model.keras, architecture.json with weights.weights.h5 (the same network), the
    settings, the scaling, the classes, and MODEL.md, which says how to use them without tuner.
    """
    from tuner.export.folder import check_target
    from tuner.export.wanted import Wanted, train_wanted
    from tuner.results import objective_metric
    from tuner.storage import storage_at
    from tuner.study.own_code import with_trusted_code
    from tuner.study.stored import read_definition

    wanted = Wanted(number, choose, ensemble, ensemble_trials, calibrate)
    # What can be wrong is found before TensorFlow takes its seconds to load.
    check_target(out, force=force)
    with reading(name, storage) as study:
        if number is None and len(study.directions) > 1:
            best = wanted.trials_of(study)[0].number
            tell(f"trial {best} is the Pareto front's best by {objective_metric(study)}")
        folder = storage_at(storage).artifacts_folder(None)
        definition = with_trusted_code(read_definition(study), folder, name, trust=trust_code)
        found = train_wanted(study, definition, wanted, tell)
    from tuner.export.export import write_export

    settings = write_export(found, out, study=name, metrics=definition.all_metrics)
    summary: dict[str, Any] = {
        "study": name,
        "trial": settings["trial"],
        "out": str(out),
        **{key: settings[key] for key in _OF_THE_KIND if key in settings},
        "rows": settings["data"]["rows"],
        "cross_validation": settings["cross_validation"],
        "test": settings["test"],
        "files": sorted(path.name for path in out.iterdir()),
    }
    emit(summary, table=lambda: _export_text(summary))


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--data", "uri", required=True, metavar="URI", help="Rows to predict, as elsewhere.")
@click.option(
    "--target",
    metavar="COLUMN",
    help="Column(s) of the true values; without it the model's own, if the data have them.",
)
@click.option(
    "--part",
    type=OneOf(("all", "search", "test")),
    default="all",
    show_default=True,
    help="Which rows of data that have test rows of their own; search rows come first.",
)
@click.option(
    "--keep",
    multiple=True,
    metavar="COLUMN",
    help="Carry a column of the data, such as an id, through to the answers. Repeatable.",
)
@click.option("--scores", "only_scores", is_flag=True, help="Only the scores, no rows.")
@format_option
def predict(
    folder: Path,
    uri: str,
    target: str | None,
    part: Literal["all", "search", "test"],
    keep: tuple[str, ...],
    only_scores: bool,
) -> None:
    """Predict the rows of a URI with the model that tuner export wrote to DIR.

    One row an input row on stdout. If the data hold the true values, the scores go to stderr
    (with --scores alone to stdout).
    """
    from tuner.export.model import load_export, model_scores, prediction_rows, rows_for
    from tuner.export.quiet import import_tensorflow
    from tuner.export.scores import predict

    model = load_export(folder)
    rows = rows_for(model, uri, target=target, part=part, keep=keep)
    for remark in rows.remarks:
        tell(remark)
    if only_scores and rows.y is None:
        raise UsageError(f"--scores needs the true values; {uri} has none. Name them by --target")
    import_tensorflow()
    answers = predict(model.keras_model, rows.x)
    scores = {} if rows.y is None else model_scores(model, answers, rows.y)
    if only_scores:
        emit({"rows": len(answers), **scores})
        return
    emit(prediction_rows(model, answers, rows.y, rows.kept))
    if rows.y is not None:
        text = ", ".join(f"{name} {score_text(value)}" for name, value in scores.items())
        seen = uri == model.settings.data.uri and part != "test"
        hint = " (the model was trained on rows of these data)" if seen else ""
        tell(f"{len(answers)} rows: {text or 'no score'}{hint}")


def _export_text(summary: dict[str, Any]) -> str:
    from tuner.export.card import member_text, score_notes, score_table

    ensemble, study = summary.get("ensemble"), summary["study"]
    if ensemble is None:
        first = (
            f"trial {summary['trial']} of {study}, refitted on {summary['rows']} rows for "
            f"{summary['epochs']} epochs: {summary['out']}"
        )
    else:
        first = f"{member_text(ensemble)} of {study} as one model: {summary['out']}"
    return "\n".join(
        [
            first,
            columns_of(*score_table(summary)),
            *score_notes(summary),
            f"files: {', '.join(summary['files'])}",
        ]
    )
