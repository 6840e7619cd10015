"""Which storage is meant, and how it is shown."""

from __future__ import annotations

import time

import pytest

from tuner.errors import UsageError
from tuner.storage import storage_at


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    monkeypatch.delenv("TUNER_STORAGE", raising=False)
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)


def test_flag_before_tuner_storage_before_optuna_storage_before_the_default(monkeypatch):
    assert storage_at(None).url == "sqlite:///studies/tuner.db"
    monkeypatch.setenv("OPTUNA_STORAGE", "sqlite:///optuna.db")
    assert storage_at(None).url == "sqlite:///optuna.db"
    monkeypatch.setenv("TUNER_STORAGE", "tuner.log")
    assert storage_at(None).url == "journal:tuner.log"
    assert storage_at("flag.db").url == "sqlite:///flag.db"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("a/b.db", "sqlite:///a/b.db"),
        ("/a/b.sqlite3", "sqlite:////a/b.sqlite3"),
        ("sqlite:////a/b.anything", "sqlite:////a/b.anything"),
        ("journal:a/b", "journal:a/b"),
        ("a/b.log", "journal:a/b.log"),
        ("postgres://u:p@h/d", "postgresql://u:p@h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("mysql+pymysql://h/d", "mysql+pymysql://h/d"),
        ("mariadb://h/d", "mysql://h/d"),
        ("mariadb+pymysql://h/d", "mysql+pymysql://h/d"),
        ("grpc://h:13001", "grpc://h:13001"),
        ("grpc://h", "grpc://h"),
    ],
)
def test_forms(text, url):
    assert storage_at(text).url == url


@pytest.mark.parametrize(
    "text",
    ["sqlite://", "sqlite:///:memory:", "journal:", "redis://h", "studies", "x.txt", "mysql:x"],
)
def test_anything_else_is_refused_with_what_there_is(text):
    with pytest.raises(UsageError, match="sqlite:///PATH"):
        storage_at(text)


def test_no_message_shows_a_password():
    assert str(storage_at("postgres://u:secret@h/d")) == "postgresql://u:***@h/d"
    assert "secret" not in repr(storage_at("postgres://u:secret@h/d"))


@pytest.mark.parametrize(
    "url",
    [
        "oracle://u:secret@h/d", "sqlite://u:secret@h/d", "sqlite:///a.db?pwd=secret",
        "journal://u:secret@h/d", "postgresql/u:secret@h/x.db", "u:secret@h/x.log",
        "grpc://:secret@h", "grpc://h#secret", "grpc://h;secret",
    ],
)  # fmt: skip
def test_a_refusal_shows_no_password(url):
    with pytest.raises(UsageError) as error:
        storage_at(url)
    assert "secret" not in str(error.value)


def test_a_missing_driver_is_named(monkeypatch):
    monkeypatch.setattr("tuner.storage.server.find_spec", lambda name: None)
    for url in ("postgresql://h/d", "postgresql+psycopg2://h/d"):
        with pytest.raises(UsageError, match=r"pip install 'psycopg\[binary\]'"):
            storage_at(url).with_driver()  # type: ignore[attr-defined]
    monkeypatch.setattr("tuner.storage.server.find_spec", lambda name: name == "psycopg2")
    assert storage_at("postgresql://h/d").with_driver() == "postgresql+psycopg2://h/d"  # type: ignore[attr-defined]
    assert storage_at("postgresql+psycopg2://h/d").with_driver() == "postgresql+psycopg2://h/d"  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="psycopg is not installed"):
        storage_at("postgresql+psycopg://h/d").with_driver()  # type: ignore[attr-defined]


def test_a_driver_that_is_not_known_is_refused():
    with pytest.raises(UsageError, match="one of the drivers psycopg, psycopg2; got pg8000"):
        storage_at("postgresql+pg8000://h/d").with_driver()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("grpc://host", ("host", 13000)),
        ("grpc://10.0.0.1:5000/", ("10.0.0.1", 5000)),
        ("grpc://[::1]:5000", ("[::1]", 5000)),
    ],
)
def test_addresses_of_proxies(url, address):
    assert storage_at(url).address == address  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    ["grpc:", "grpc://", "grpc://h:port", "grpc://h:99999", "grpc://u:secret@h", "grpc://h/d"],
)
def test_a_proxy_that_is_no_host_and_port_is_refused(url):
    with pytest.raises(UsageError, match="grpc://HOST:PORT") as error:
        storage_at(url)
    assert "secret" not in str(error.value)


@pytest.fixture
def zone(monkeypatch):
    """Sets the time zone of this process, for a test."""

    def to(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield to
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="time zones are set so on POSIX alone")
def test_a_time_zone_that_no_date_can_have_is_refused(zone):
    zone("UTC+23")
    assert storage_at("a.db").url == "sqlite:///a.db"
    zone("UTC+24")
    with pytest.raises(UsageError, match=r"less than 24 hours from UTC; got TZ='UTC\+24'\. Avail"):
        storage_at("a.db")
