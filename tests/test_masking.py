"""What of a URL may be shown."""

from __future__ import annotations

import pytest

from tuner.masking import display_url, hide, hide_all


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret@h/d", "postgresql://u:***@h/d"),
        ("postgresql+psycopg://u:secret@h:5432/d", "postgresql+psycopg://u:***@h:5432/d"),
        ("POSTGRES://u:@[::1]:5432/d", "POSTGRES://u:***@[::1]:5432/d"),
        ("postgresql://h/d?sslmode=require", "postgresql://h/d?sslmode=require"),
        ("mysql://h/d?user=u&password=secret&x=1", "mysql://h/d?user=u&***"),
        ("postgresql://h/d?sslmode=secret", "postgresql://h/d?***"),
        ("grpc://h:13000", "grpc://h:13000"),
        ("redis://host", "redis://host"),
        # A name alone may be a token.
        ("https://secret@h/d", "https://***@h/d"),
        # What is not well-formed is not shown.
        ("postgresql://u:p@secret@h/d", "postgresql://***"),
        ("postgresql://u:secret/x@h/d", "postgresql://***"),
        ("postgresql://u:secret", "postgresql://***"),
        ("postgresql://u:x\nsecret@h/d", "postgresql://***"),
        ("postgresql://h/d?options=-c%20x@secret", "postgresql://***"),
        ("postgresql:/u:secret@h", "postgresql:***"),
        ("postgresql+secret://h", "***"),
        ("postgresqlu:secret@h/db", "***"),
        ("postgresql%3A%2F%2Fu%3Asecret%40h", "***"),
        ("h/d?pwd=secret", "***"),
        ("csv:https://u:secret@h/x.csv", "csv:***"),
        ("csv:https:/h/x.csv?sig=secret", "csv:***"),
        ("openml:61?api_key=secret", "openml:***"),
        ("sqlite:///u:secret@h/d.db", "sqlite://***"),
        ("journal:u:secret@h", "journal:***"),
        # Files are shown whole.
        ("sqlite:///a b/ü?#%41;.db", "sqlite:///a b/ü?#%41;.db"),
        ("journal:/a/b:c@d", "journal:/a/b:c@d"),
        ("sqlite:///./a:b@c.db", "sqlite:///./a:b@c.db"),
        ("csv:a b?#%41.csv", "csv:a b?#%41.csv"),
        ("studies/tuner", "studies/tuner"),
    ],
)
def test_what_is_shown(url, shown):
    assert display_url(url) == shown


@pytest.mark.parametrize(
    ("text", "url", "left"),
    [
        ("no host 'secret@h'", "postgresql://u:p@secret@h/d", "no host '***@***'"),
        ("bad SECRET for u", "postgresql://u:secret@h/d", "bad *** for u"),
        ("bad 'se/cret'", "postgresql://u:se%2Fcret@h/d", "bad '***'"),
        ("no option x.y", "postgresql://h/d?options=-c%20x.y%3D1", "no option ***"),
        ("database d of h", "postgresql://u:secret@h/d", "database d of h"),
        ("is locked: sqlite:////a:b@c", "sqlite:////a:b@c", "is locked: sqlite:////a:b@c"),
    ],
)
def test_what_a_driver_says_of_it(text, url, left):
    assert hide(text, url) == left


@pytest.mark.parametrize("length", [1, 5, 80])
def test_what_a_message_cut_off_is_hidden_as_well(length):
    secret = "secret" * 30
    text = f"got 'u:{secret[:length]}'... (200 characters)"
    assert hide(text, f"postgresql:/u:{secret}@h") == "got '***:***'... (200 characters)"


def test_only_what_may_be_a_url_is_hidden_in_what_a_command_says():
    given = ["--set", "optimizer.learning_rate=0.1", "a=b", "csv:a:b.csv", "u:secret@h"]
    text = "optimizer.learning_rate is 0.1, not u:secret@h; nor secret in csv:a:b.csv"
    left = "optimizer.learning_rate is 0.1, not ***; nor *** in csv:a:b.csv"
    assert hide_all(text, given) == left
