"""xlsx:, arff: and npy: files, written by pandas, openpyxl, scipy's tests' form and NumPy."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from tuner.data import fit_scaling, load_dataset
from tuner.data.sources import Reading, source_of
from tuner.data.sources.table import Table, TableSource
from tuner.errors import DataError

ROWS = pd.DataFrame(
    {"size": [1.5, 2, np.nan, 4], "town": ["Bern", "Basel", None, "Bern"], "kind": list("xyxy")}
)


def table(uri: str, **reading: Any) -> Table:
    source, rest = source_of(uri)
    assert isinstance(source, TableSource)
    return source.table(rest, Reading(**reading))


def lists(own: Table) -> dict[str, list[Any]]:
    return {
        str(name): [None if pd.isna(value) else value for value in values]
        for name, values in own.frame.items()
    }


def refused(uri: str, **asked: Any) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(uri, **asked)
    return str(caught.value)


class TestXlsx:
    @pytest.fixture(autouse=True)
    def book(self, tmp_path: Path) -> None:
        self.openpyxl = pytest.importorskip("openpyxl")
        self.file = tmp_path / "own.xlsx"
        self.uri = f"xlsx:{self.file}"

    def write(self, rows: list[list[Any]], **others: list[list[Any]]) -> None:
        book = self.openpyxl.Workbook()
        book.active.title = "first"
        sheets = {"first": rows, **others}
        for title, own in sheets.items():
            sheet = book[title] if title in book.sheetnames else book.create_sheet(title)
            for row in own:
                sheet.append(row)
        book.save(self.file)

    @pytest.mark.parametrize("index", [True, False])
    def test_what_pandas_wrote(self, index: bool) -> None:
        ROWS.to_excel(self.file, index=index)
        own = table(self.uri)
        assert lists(own) == {
            "size": [1.5, 2.0, None, 4.0], "town": ["Bern", "Basel", None, "Bern"],
            "kind": list("xyxy"),
        }  # fmt: skip

    def test_iris_is_as_in_a_text_table(self, tmp_path: Path) -> None:
        frame = datasets.load_iris(as_frame=True).frame
        frame.to_excel(self.file, index=False)
        frame.to_csv(tmp_path / "own.csv", index=False)
        assert load_dataset(self.uri).hash == load_dataset(f"csv:{tmp_path / 'own.csv'}").hash

    def test_rows_above_empty_rows_and_other_sheets(self) -> None:
        rows: list[list[Any]] = [["Sales of 2020"], [], ["made by", "me"]]
        rows += [["a", "b\n(cm)", "y"], [1, 2, "u"], [], [3, 4, "v"]]
        self.write(rows, second=[[1]], third=[[2]])
        own = table(self.uri)
        assert lists(own) == {"a": [1, 3], "b (cm)": [2, 4], "y": ["u", "v"]}
        assert own.remarks[0] == "read the sheet 'first' alone, not 'second', 'third'"
        assert own.remarks[1].startswith("left out 2 rows above the table")

    def test_merged_title(self) -> None:
        self.write([["All of it", None, None], ["a", "b", "y"], [1, 2, "u"], [3, 4, "v"]])
        book = self.openpyxl.load_workbook(self.file)
        book.active.merge_cells("A1:C1")
        book.save(self.file)
        assert list(table(self.uri).frame) == ["a", "b", "y"]

    def test_kinds_of_cells(self) -> None:
        day, noon = dt.datetime(2020, 1, 2), dt.time(12, 0, 1)
        rows = [["day", "time", "flag", "code", "gaps", "mixed", 2020]]
        rows += [[day, noon, True, "007", "?", "1,5", 1], [day, noon, False, "010", 2, 3, 2]]
        rows += [[None, None, None, "x", "n/a", "2,5", 3]]
        self.write(rows)
        own = lists(table(self.uri))
        assert own["day"] == [pd.Timestamp(day)] * 2 + [None]
        assert own["time"] == [43201.0, 43201.0, None]
        assert own["code"] == ["007", "010", "x"]
        assert own["gaps"] == [None, 2.0, None]
        assert own["mixed"] == [1.5, 3.0, 2.5]
        assert own["2020"] == [1, 2, 3]

    def test_no_names(self) -> None:
        self.write([[5.1, 3.5, "a"], [4.9, 3.0, "b"], [4.7, 3.2, "a"]])
        own = table(self.uri)
        assert list(own.frame) == ["1", "2", "3"]
        assert own.remarks
        assert list(table(self.uri, header=False).frame) == ["1", "2", "3"]

    def test_refusals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.write([])
        assert "sheet 'first' of" in refused(self.uri)
        self.write([["a", "a", "y"], [1, 2, 3], [2, 3, 4]])
        assert "'a'" in refused(self.uri)
        self.file.write_bytes(b"no workbook")
        assert "needs an Excel workbook" in refused(self.uri)
        assert "--sep says how text is read" in refused(self.uri, reading=Reading(sep=","))
        self.write([["a", "y"], [1, 2], [2, 3]])
        with monkeypatch.context() as context:
            context.setattr("tuner.data.sources.xlsx.too_large", lambda size: f"has {size} bytes")
            assert "a workbook that fits into memory" in refused(self.uri)
        monkeypatch.setitem(sys.modules, "openpyxl", None)
        assert "needs the package openpyxl" in refused(self.uri)


class TestArff:
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.file = tmp_path / "own.arff"
        self.uri = f"arff:{self.file}"

    def write(self, attributes: list[str], rows: list[str]) -> None:
        head = ["% a comment", "@RELATION 'my own'", "", *(f"@Attribute {a}" for a in attributes)]
        self.file.write_text("\n".join([*head, "@DATA", "% more", *rows, ""]))

    def test_iris_as_scipy_reads_it(self) -> None:
        from scipy.io import arff

        iris = datasets.load_iris()
        names = ["setosa", "versicolor", "virginica"]
        rows = [
            f"{','.join(map(str, x))},Iris-{names[y]}"
            for x, y in zip(iris.data, iris.target, strict=True)
        ]
        classes = ",".join(f"Iris-{name}" for name in names)
        self.write([*(f"{n} REAL" for n in "abcd"), f"class {{{classes}}}"], rows)
        theirs, _ = arff.loadarff(self.file)
        own = load_dataset(self.uri)
        fitted = fit_scaling(own, np.arange(own.rows), "none")
        assert fitted is not None
        values = np.column_stack([theirs[name] for name in "abcd"])
        np.testing.assert_allclose(own.x * fitted.scale + fitted.shift, values, rtol=1e-6)
        assert own.classes is not None
        assert [own.classes[y] for y in own.y] == [text.decode() for text in theirs["class"]]

    def test_quotes_gaps_text_dates_and_the_class(self) -> None:
        self.write(
            ["'the size' numeric", "Class {yes, 'not, really'}", "note string",
             'day date "dd/MM/yyyy"', "level {'low',high}"],
            ["1.5, yes, 'it''s'".replace("''", "\\'") + ", 31/12/2020, low",
             "?,'not, really',?,?,?", '2e3\t,yes,"a, b",01/01/2021,\'high\''],
        )  # fmt: skip
        own = table(self.uri)
        assert own.default_target == ("Class",)
        assert lists(own) == {
            "the size": [1.5, None, 2000.0],
            "Class": ["yes", "not, really", "yes"],
            "note": ["it's", None, "a, b"],
            "day": [pd.Timestamp("2020-12-31"), None, pd.Timestamp("2021-01-01")],
            "level": ["low", None, "high"],
        }

    def test_sparse_rows_and_the_last_attribute(self) -> None:
        self.write(["a real", "b {u,v}", "c integer"], ["{0 2.5, 2 7}", "{1 v}", "{}", "{2 ?}"])
        own = table(self.uri)
        assert own.default_target == ("c",)
        assert lists(own) == {
            "a": [2.5, 0.0, 0.0, 0.0], "b": ["u", "v", "u", "u"], "c": [7.0, 0.0, 0.0, None],
        }  # fmt: skip

    def test_keels_ranges_inputs_and_outputs(self) -> None:
        self.write(["a real [0.1, 2]", "n integer[1,9]", "b {u, v}"], ["1.5, 2, u", "0.5, 9, v"])
        text = self.file.read_text()
        self.file.write_text(text.replace("@DATA", "@inputs a, n\n@outputs b\n@data"))
        assert lists(table(self.uri)) == {"a": [1.5, 0.5], "n": [2, 9], "b": ["u", "v"]}

    @pytest.mark.parametrize(
        ("attributes", "rows", "part"),
        [
            (["a real", "b {u,v}"], ["1"], "line 8"),
            (["a real", "b {u,v}"], ["1,u,3"], "'1,u,3'"),
            (["a real", "b {u,v}"], ["1,'u"], "a value for each of the 2 attributes"),
            (["a real", "b {u,v}"], ["1,w"], "may be 'u', 'v'; it also is 'w'"),
            (["a real", "b {u,v}"], ["x,u"], "must hold numbers"),
            (["a real", "b date"], ["1,soon"], "must hold dates"),
            (["a real", "b colour"], ["1,u"], "b of"),
            (["a real", "b relational"], ["1,u"], "is 'relational'"),
            (["a real", "a real"], ["1,2"], "'a' more than once"),
            (["a real", "b real"], ["{7 1}"], "'{7 1}'"),
            (["a real", "b real"], [], "no row"),
            ([], ["1"], "needs lines of @attribute"),
            (["real"], ["1"], "is '@Attribute real'"),
        ],
    )
    def test_refusals(self, attributes: list[str], rows: list[str], part: str) -> None:
        self.write(attributes, rows)
        assert part in refused(self.uri)

    def test_other_text(self) -> None:
        self.write(["a real", "b {ü,v}"], ["1,ü", "2,v", "3,ü", "4,v"])
        self.file.write_bytes(self.file.read_text().encode("latin-1"))
        assert "or --encoding" in refused(self.uri)
        own = load_dataset(self.uri, reading=Reading(encoding="latin-1", na=("4",)))
        assert own.classes == ("v", "ü")
        self.file.write_text("1,2\n3,4\n")
        assert "line 1 of" in refused(self.uri)
        self.file.write_text("")
        assert "has 0 attributes" in refused(self.uri)


class TestNpy:
    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path) -> None:
        self.file = tmp_path / "own.npy"
        self.uri = f"npy:{self.file}"

    def test_the_last_column_or_another_is_the_target(self) -> None:
        values = np.array([[1.5, 0, np.nan], [2, 1, 5], [3, 0, 6], [4, 1, 7.5]])
        np.save(self.file, values)
        own = load_dataset(self.uri, target="2")
        assert (own.target_names, own.feature_names, own.task) == (("2",), ("1", "3"), "binary")
        last = load_dataset(self.uri)
        assert (last.target_names, last.rows, last.task) == (("3",), 3, "regression")
        assert load_dataset(self.uri, target="-3").target_names == ("1",)

    def test_fields_have_names(self) -> None:
        fields = [("size", "f4"), ("kind", "S3"), ("seen", "M8[D]")]
        np.save(self.file, np.array([(1, b"a", "2020-01-01"), (2, b"b", "2021-01-01")], fields))
        own = lists(table(self.uri))
        assert own["kind"] == ["a", "b"]
        assert own["seen"][0] == pd.Timestamp("2020-01-01")

    def test_refusals(self, tmp_path: Path) -> None:
        for array in (np.ones(3), np.ones((2, 2, 2)), np.array(3)):
            np.save(self.file, array)
            assert "rows and columns, two axes" in refused(self.uri)
        np.save(self.file, np.array([[{}]], dtype=object), allow_pickle=True)
        assert "plain numbers or text" in refused(self.uri)
        np.save(self.file, np.ones((40, 2)))
        self.file.write_bytes(self.file.read_bytes()[:-100])
        assert "cannot be read" in refused(self.uri)
        for content in (b"", b"no array"):
            self.file.write_bytes(content)
            assert "that numpy.save wrote" in refused(self.uri)
        with self.file.open("wb") as stream:
            np.savez(stream, X=np.ones(3))
        assert "is an archive of arrays" in refused(self.uri)
        np.save(self.file, np.ones((3, 0)))
        assert "npy" in refused(self.uri)


def test_flags_of_columns_are_for_tables(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", X=np.ones((4, 2)), y=[0, 1, 0, 1])
    uri = f"npz:{tmp_path / 'own.npz'}"
    for asked in ({"drop": ["a"]}, {"features": ["a"]}, {"kinds": {"a": "number"}}):
        assert "names a column of a table" in refused(uri, **asked)
    for reading in ({"header": False}, {"na": ("-9",)}, {"decimal": ","}, {"encoding": "utf-8"}):
        message = refused(uri, reading=Reading(**reading))  # type: ignore[arg-type]
        assert f"--{next(iter(reading))} says how text is read" in message
        assert "It is taken for csv, " in message
