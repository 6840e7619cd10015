"""Every number that a flag takes: within a range that makes sense, or refused in one sentence
before anything is done."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from tuner.cli.flags import Amount, Number
from tuner.cli.main import COMMANDS, cli, main
from tuner.errors import UsageError

NOT_A_NUMBER = ["nan", "inf", "-inf", "", "ten", "0x10"]
EXTREMES = ["-1", "0", "1e308", "1e-300", "1e-9", str(10**30), "-" + "9" * 5000, "9" * 5000]


def numeric_flags(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Option]]:
    """Every option of a command and its subcommands that takes a number."""
    for param in command.params:
        kinds = (Number, Amount, click.INT.__class__, click.FLOAT.__class__)
        if isinstance(param, click.Option) and isinstance(param.type, kinds):
            yield path, param
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from numeric_flags(found, (*path, name))


FLAGS = list(numeric_flags(cli))
NAMES = [" ".join((*path, option.opts[0])) for path, option in FLAGS]


def test_all_numeric_flags_are_found() -> None:
    assert {path[0] for path, _ in FLAGS} <= set(COMMANDS)
    assert {"optimize --heartbeat", "doctor --grace", "data show --limit"} < set(NAMES)
    assert {"serve --port", "results --top", "export --trial", "resume --trials"} < set(NAMES)
    # Click's own numbers know neither NaN nor an end.
    assert all(isinstance(option.type, Number | Amount) for _, option in FLAGS)


@pytest.mark.parametrize("option", [option for _, option in FLAGS], ids=NAMES)
@pytest.mark.parametrize("text", NOT_A_NUMBER + EXTREMES, ids=lambda text: text[:20] or "empty")
def test_a_number_is_refused_in_a_sentence_or_lies_within_the_range(option, text) -> None:
    try:
        value = option.type.convert(text, option, None)
    except UsageError as error:
        message = str(error)
        assert message.startswith(f"{option.opts[0]} ")
        assert len(message) < 250
        assert text[:20] in message
        assert text != "0" or "0" not in getattr(option.type, "allowed", "")
    else:
        assert text not in NOT_A_NUMBER
        if isinstance(option.type, Number):
            assert option.type.low <= value <= option.type.high
        else:
            assert 0 < value <= option.type.most


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--heartbeat", "nan"], "--heartbeat must be a number from 0.1 to 3600; got 'nan'"),
        (["--heartbeat", "1e-9"], "--heartbeat must be a number from 0.1 to 3600; got '1e-9'"),
        (["--heartbeat", "inf"], "--heartbeat must be a number from 0.1 to 3600; got 'inf'"),
        (["--grace", "nan"], "--grace must be a number from 0.1 to 1000000; got 'nan'"),
        (["--trials", "1000000000"], "--trials must be a whole number from 1 to 100000; got"),
        (["--trials", "2.5"], "--trials must be a whole number from 1 to 100000; got '2.5'"),
        (["--seed", "-1"], "--seed must be a whole number from 0 to 4294967295; got '-1'"),
        (["--folds", "1"], "--folds must be a whole number from 2 to 10000; got '1'"),
        (["--test-share", "1"], "--test-share must be a number between 0 and 1; got '1'"),
        (["--timeout", "9" * 400], "--timeout must be at most 1000000000 s; got"),
        (["--memory", "1e300"], "--memory must be at most 1048576T; got '1e300'"),
        (["--memory", "nan"], "--memory takes bytes with one of the units"),
        (["--workers", "1000000"], "--workers must be a whole number from 1 to 1000; got"),
        (["--retries", "1e9"], "--retries must be a whole number from 0 to 1000; got '1e9'"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_a_search_is_refused_before_any_work(args, said, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["optimize", "--space", "sgd_decay", *args])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
