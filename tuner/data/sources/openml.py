"""`openml:NUMBER`: a dataset of OpenML, fetched by scikit-learn into our own cache folder."""

import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tuner.data.sources.base import Reading
from tuner.data.sources.cache import (
    ALTERNATIVES,
    TIMEOUT_S,
    cache_folder,
    check_allowed,
    offline,
)
from tuner.data.sources.frames import plain_table
from tuner.data.sources.table import Table, TableSource
from tuner.errors import DataError
from tuner.files import unreadable
from tuner.text import path_text, quoted, said


class OpenML(TableSource):
    """A dataset of openml.org, by scikit-learn's `fetch_openml`."""

    name = "openml"
    what = "NUMBER of a dataset on OpenML"
    downloads = True

    def table(self, number: str, reading: Reading) -> Table:
        """By scikit-learn's `fetch_openml`; the target that OpenML names is the default.

        Raises:
            DataError: no number, an unknown one, no network and nothing in the cache.
        """
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError

        from sklearn.datasets import fetch_openml

        source = f"openml:{number}"
        if not (number.isascii() and number.isdigit() and int(number) > 0):
            raise DataError(
                f"openml: needs the number of a dataset, which its page on openml.org shows; "
                f"received {quoted(number)}. Example: openml:61 (iris), openml:554 (MNIST)"
            )
        home = cache_folder()
        url = f"https://www.openml.org/api/v1/json/data/{int(number)}"
        file = home / "openml" / "openml.org" / "api" / "v1" / "json" / "data" / f"{int(number)}.gz"
        check_allowed(source, file)
        for kept in (home / "openml").rglob("*"):
            if not kept.is_dir() and (reason := unreadable(kept)):
                raise DataError(f"{source} is kept in files; {path_text(kept)} {reason}. Remove it")
        try:
            home.mkdir(parents=True, exist_ok=True)
            with warnings.catch_warnings(), _timeout(TIMEOUT_S):
                # What these two say is in the error below, if there is one in the end.
                warnings.filterwarnings("ignore", message="A network error occurred")
                warnings.filterwarnings("ignore", message="Invalid cache, redownloading")
                bunch = fetch_openml(
                    data_id=int(number), data_home=home, as_frame=True, parser="auto"
                )
        except HTTPError as error:
            if error.code in (404, 412):
                raise DataError(f"openml.org has no dataset {number}. {ALTERNATIVES}") from error
            raise offline(source, file, url, error) from error
        except (URLError, HTTPException, TimeoutError, OSError) as error:
            raise offline(source, file, url, error) from error
        except ValueError as error:  # not found, sparse, a checksum that does not match
            raise DataError(f"{source} cannot be used: {said(error)}. {ALTERNATIVES}") from error
        targets = tuple(map(str, bunch.target_names or ()))
        return plain_table(bunch.frame, source, targets)


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """scikit-learn opens its connections without a limit; a silent firewall would hang us."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
