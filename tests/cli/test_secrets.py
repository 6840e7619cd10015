"""A password that somebody gives a command, wherever it stands and however the URL is mistyped,
is in nothing that the command prints."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tuner.cli.main import main

#: `{}` is the secret. Nobody listens at port 1.
URLS = [
    "postgresql://u:{}@127.0.0.1:1/d",
    "postgresql://u:p@{}@127.0.0.1:1/d",
    "postgresql://u:a/{}@127.0.0.1:1/d",
    "postgresql://127.0.0.1:1/d?password={}",
    "postgresql://127.0.0.1:1/d?user=u&PASSWORD={}",
    "postgresql://127.0.0.1:1/d?pwd={}&sslmode=require",
    "postgresql://127.0.0.1:1/d?options=-c%20{}%3D1",
    "postgresql://127.0.0.1:1/d?connect_timeout={}",
    "postgresql+psycopg://u:{}@127.0.0.1:1",
    "mysql://u:{}@127.0.0.1:1/d",
    "grpc://u:{}@127.0.0.1:1",
    "oracle://u:{}@h/d",
    "https://h/d?token={}",
    "sqlite://u:{}@h/d.db",
    "host=127.0.0.1 port=1 user=u password={} dbname=d",
]
COMMANDS = [
    ["studies", "list", "--storage", "URL"],
    ["studies", "show", "s", "--storage=URL"],
    ["studies", "delete", "s", "--yes", "--storage", "URL"],
    ["results", "s", "--storage", "URL"],
    ["best", "s", "--storage", "URL"],
    ["export", "s", "--out", "new", "--storage", "URL"],
    ["resume", "s", "--storage", "URL"],
    ["worker", "--name", "s", "--storage", "URL"],
    ["doctor", "--storage", "URL"],
    ["doctor", "--repair", "--storage", "URL"],
    ["serve", "--storage", "URL"],
    # Where it does not belong.
    ["URL"],
    ["results", "s", "URL"],
    ["results", "URL"],
    ["results", "s", "--storge=URL"],
    ["worker", "--name", "s", "--workers", "URL"],
    ["optimize", "--space", "URL"],
    ["optimize", "--study", "URL"],
    ["optimize", "--space", "sgd_decay", "--set", "URL"],
    ["data", "show", "URL"],
    ["data", "show", "csv:URL"],
    ["data", "show", "openml:URL"],
    ["plan", "--space", "sgd_decay", "--data", "csv:URL"],
    ["predict", "none", "--data", "URL"],
    ["spaces", "show", "URL"],
    ["spaces", "validate", "URL"],
    ["--format", "json", "spaces", "validate", "URL", "sgd_decay"],
    ["optimize", "--space", "sgd_decay", "--sampler", "URL"],
]


#: From a URL, and what stands in it before and behind the secret, to a mistyped one.
FAULTS: list[Callable[[str, str, str], str]] = [
    lambda url, head, tail: url.replace("://", ":/", 1),
    lambda url, head, tail: url.replace("://", "", 1),
    lambda url, head, tail: url.replace("://", "//", 1),
    lambda url, head, tail: url.replace("://", ":///", 1),
    lambda url, head, tail: url.replace("@", "@@", 1),
    lambda url, head, tail: url.replace(":1/", ":/", 1),
    lambda url, head, tail: f" {url} ",
    lambda url, head, tail: f"'{url}'",
    lambda url, head, tail: f"{head.upper()}{{}}{tail}",
    *(
        lambda url, head, tail, before=before: f"{head}{before}{{}}{tail}"
        for before in ("\n", "%40", "x@", "a:", "?", "//", "[")
    ),
    *(
        lambda url, head, tail, after=after: f"{head}{{}}{after}{tail}"
        for after in ("\n", "%2F", "#x", "@", "\t", "]", "\\", '"', "é")
    ),
]


def mistyped(url: str, chance: random.Random) -> str:
    """`url`, whose secret is `{}`, with up to two faults beside it."""
    for _ in range(chance.choice((0, 1, 1, 2))):
        url = chance.choice(FAULTS)(url, *url.split("{}"))
    return url


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)
    monkeypatch.delenv("TUNER_STORAGE", raising=False)


def shown(capsys, args: list[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(args)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert ended.value.code in (1, 2, 4)
    return captured.out + captured.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_shows_a_secret(command, capsys):
    chance = random.Random(" ".join(command))
    for url in chance.sample(URLS, 4):
        secret = f"Hush{chance.getrandbits(40):x}" * chance.choice((1, 1, 20))
        given = mistyped(url, chance).replace("{}", secret)
        text = shown(capsys, [word.replace("URL", given) for word in command])
        assert secret[:14].lower() not in text.lower(), given
    assert not list(Path().iterdir())


@pytest.mark.parametrize("name", ["TUNER_STORAGE", "OPTUNA_STORAGE"])
def test_nor_one_of_the_environment(name, monkeypatch, capsys):
    monkeypatch.setenv(name, "postgresql:/u:Hush123@h/d")
    assert "Hush123" not in shown(capsys, ["studies", "list"])
