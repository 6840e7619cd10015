"""Files that are text and no tables, told by how they begin."""

from __future__ import annotations

import re

from tuner.errors import DataError

_BEGINNINGS = (
    (re.compile(r'[\[{]\s*([\[{"]|[\]}]\s*$)'), "JSON",
     "pandas.read_json and to_csv make it one (lines=True if each line is an object)"),
    (re.compile(r"(?i)<(!doctype|html|head|body|table|\?xml|!--)\b"), "a web page or XML",
     "download the file itself, or pandas.read_html and to_csv make its table one"),
    (re.compile(r"(?i)(%.*\s+)*@relation\b"), "a table of Weka or KEEL",
     "name its format before the colon, arff:"),
    (re.compile(r"(PK\x03\x04|PAR1|\x89HDF|%PDF-|\x93NUMPY|\{\\rtf)"), "a file of another program",
     "save the table as CSV, or name its format before the colon, such as xlsx: or parquet:"),
)  # fmt: skip


def check_is_table(text: str, source: str) -> None:
    """Raises `DataError` if `text`, the beginning of a file, is that of JSON or a web page."""
    begins = text[:200].lstrip("\ufeff \t\r\n")
    for beginning, what, help_ in _BEGINNINGS:
        if beginning.match(begins):
            raise DataError(
                f"a text table has a line of values for each row; {source} holds {what}: {help_}"
            )
