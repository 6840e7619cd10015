"""Text tables: every spelling of one table is read as that table, and what is none is refused."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tuner.data.sources import Reading
from tuner.data.text.read import read_text_table
from tuner.errors import DataError

ROWS = [("Bern", "1.5", "7"), ("Köln", "-2", "8"), ("Bern", "", "9"), ("Chur", "3e2", "7")]


def read(data: str | bytes, **reading: Any) -> tuple[pd.DataFrame, str]:
    raw = data.encode() if isinstance(data, str) else data
    table = read_text_table(raw, Reading(**reading), "own")
    return table.frame, "; ".join(table.remarks)


def same(frame: pd.DataFrame) -> None:
    assert list(frame) == ["town", "size", "n"]
    assert frame["town"].astype(str).tolist() == [row[0] for row in ROWS]
    np.testing.assert_array_equal(frame["size"], [1.5, -2.0, np.nan, 300.0])
    np.testing.assert_array_equal(frame["n"], [7, 8, 9, 7])


def text(sep: str = ",", *, header: str = "town,size,n", end: str = "\n", tail: str = "") -> str:
    lines = [header.replace(",", sep), *(sep.join(row) for row in ROWS)]
    return "".join(line + tail + end for line in lines)


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        (text(), ""),
        (text(end="\r\n"), ""),
        (text(end="\n\n"), ""),
        ("\n\n" + text(), ""),
        (text("\t"), ""),
        (text(";"), "semicolons (--sep)"),
        (text("|"), "bars (--sep)"),
        (text(", "), ""),
        (text(tail=","), ""),
        ("sep=;\n" + text(";"), ""),
        ("# made by hand\n# in 1993\n" + text(), ""),
        (text().replace("town", '"town"').replace("Bern", '"Bern"'), ""),
        (text().replace(",,", ",?,"), ""),
        (text().replace(",,", ", NA ,"), ""),
        (text().replace(",,", ",-,"), "size: '-' is taken for a gap (--na)"),
        (text(header=" town , size ,n\t"), ""),
        (text().encode("utf-8-sig"), ""),
        (text().encode("utf-16"), ""),
        (text(";").replace("1.5", "1,5"), "size: commas are read as decimal marks"),
        (text().replace("7\n", "$7\n").replace("8\n", "$8\n").replace("9\n", "$9\n"), "n: $ is"),
    ],
)
def test_one_table_in_many_spellings(data: str | bytes, remark: str) -> None:
    frame, remarks = read(data)
    same(frame)
    assert remark in remarks


def test_text_is_one_column_over_blocks_that_the_parser_reads_alone() -> None:
    towns = ["Bern", " Chur", "", "Chur ", "Köln", "7"]  # the last ones in the last block alone
    rows = [towns[i % 4 if i < 150_000 else i % 6] for i in range(160_000)]
    frame, _ = read("town,size\n" + "".join(f"{town},1.5\n" for town in rows))
    assert frame["town"].cat.categories.tolist() == ["Bern", "Chur", "Köln", "7"]
    assert frame["town"].astype(object).where(frame["town"].notna(), "").tolist() == [
        town.strip() for town in rows
    ]


def test_latin_1_is_guessed_and_said() -> None:
    longer = text() + "".join(f"Zürich,{i},7\nMünchen,{i},8\n" for i in range(20))
    frame, remarks = read(longer.encode("latin-1"))
    assert set(frame["town"].astype(str)) == {"Bern", "Köln", "Chur", "Zürich", "München"}
    assert "a guess (--encoding says otherwise)" in remarks
    assert read(longer.encode("latin-1"), encoding="latin-1")[1] == ""
    with pytest.raises(DataError, match="a name that Python knows"):
        read(text(), encoding="latin-99")


def test_lines_without_names_are_said_and_numbered() -> None:
    numbers = "74,85,123,1\n71,80,99,0\n60,91,100,1\n"
    frame, remarks = read(numbers)
    assert list(frame) == ["1", "2", "3", "4"]
    assert len(frame) == 3
    assert "called 1 to 4 (--header if it does)" in remarks
    assert list(read(numbers, header=True)[0]) == ["74", "85", "123", "1"]
    mixed = "53, Private, 13, <=50K\n37, Private, 14, >50K\n43, Public, 13, <=50K\n"
    assert list(read(mixed)[0]) == ["1", "2", "3", "4"]
    assert len(read(mixed)[0]) == 3
    assert list(read("colour,kind\nred,a\nblue,b\n")[0]) == ["colour", "kind"]
    assert len(read("colour,kind\nred,a\nblue,b\n", header=False)[0]) == 3


def test_aligned_columns_and_runs_of_spaces() -> None:
    frame, remarks = read(" 0.006  18.00   2.31\n 0.027   0.00   7.07\n10.100   0.00   7.07\n")
    np.testing.assert_array_equal(
        frame.to_numpy(), [[0.006, 18, 2.31], [0.027, 0, 7.07], [10.1, 0, 7.07]]
    )
    assert "separated by spaces" in remarks


def test_a_value_more_than_names_is_no_index_that_shifts_the_columns() -> None:
    with pytest.raises(DataError, match="names 3 columns and its lines have 4 values"):
        read("a,b,y\n1,2,0,9\n2,3,1,8\n")
    frame, remarks = read("mpg cyl\nMazda 21 6\nDatsun 22 4\nHornet 21 6\n")
    assert list(frame) == ["row names", "mpg", "cyl"]
    assert "the first value of each line has no name" in remarks


def test_lines_of_another_number_of_values_are_listed_with_their_numbers() -> None:
    with pytest.raises(DataError, match=r"2 lines of another number: 3 values in line 3.*line 5"):
        read("a,b\n1,2\n1,2,3\n1,2\n7\n1,2\n")
    frame, remarks = read("a,b\n1,2\n3,4\n\nSource: the Fund, 2015\n".replace(", 2015", ""))
    assert len(frame) == 2
    assert "left out under the table: 'Source: the Fund'" in remarks


def test_numbers_of_other_spellings() -> None:
    frame, remarks = read('a;b;c\n"1.234,5";5 %;1,234\n"2,25";6 %;12,345,678\n"1";7 %;3,300\n')
    np.testing.assert_array_equal(frame["a"], [1234.5, 2.25, 1])
    np.testing.assert_array_equal(frame["b"], [5, 6, 7])
    np.testing.assert_array_equal(frame["c"], [1234, 12345678, 3300])
    assert "a: commas are read as decimal marks" in remarks
    assert "c: commas are read between thousands" in remarks
    assert read("a;b\n1,234;x\n2,345;y\n", decimal=",")[0]["a"].tolist() == [1.234, 2.345]
    with pytest.raises(DataError, match="--decimal takes a point or a comma"):
        read("a,b\n1,2\n", decimal="x")


def test_numbers_as_typographers_and_accountants_write_them() -> None:
    frame, remarks = read(
        "a,b,c,d\n\u22121.5,1\u00a0234,(30),1'000.5\n2,12\u202f345,(1.5),10\n-3,7,4,2'000'000\n"
    )
    np.testing.assert_array_equal(frame["a"], [-1.5, 2, -3])
    np.testing.assert_array_equal(frame["b"], [1234, 12345, 7])
    np.testing.assert_array_equal(frame["c"], [-30, -1.5, 4])
    np.testing.assert_array_equal(frame["d"], [1000.5, 10, 2000000])
    assert remarks == "c: brackets are read as minus signs, as in '(30)'"
    frame, _ = read("a,n\n(area) 5,1\nit's,2\n(x),3\n(-5),4\n")
    assert frame["a"].astype(str).tolist() == ["(area) 5", "it's", "(x)", "(-5)"]


def test_what_holds_for_several_columns_is_said_once() -> None:
    _, remarks = read("a;b;c\n1,5;2,5;5 %\n2,5;3,5;6 %\n")
    assert "a, b: commas are read as decimal marks, as in '1,5' (--decimal)" in remarks
    assert remarks.count("commas are read") == 1


ROWS_OF_NUMBERS = "".join(f"{i},{i / 4},{i % 3}\n" for i in range(6))


@pytest.mark.parametrize("second", ["s,m/s,kg", "s,,kg", "time,mean,sd", "---,---,---"])
def test_units_under_the_names_are_left_out_and_said(second: str) -> None:
    for between in ("", "\n", "# by hand\n"):
        lead = "# by hand\n" if between.startswith("#") else "\n"
        frame, remarks = read(f"{lead}t,v,m\n{between}{second}\n{ROWS_OF_NUMBERS}")
        assert list(frame) == ["t", "v", "m"]
        np.testing.assert_array_equal(frame["v"], np.arange(6) / 4)
        assert remarks == f"the line under the names is left out, as units are: {second!r}"


@pytest.mark.parametrize("first", ["size,size,m", "size,,m"])
def test_two_lines_of_names_are_refused(first: str) -> None:
    with pytest.raises(DataError, match="has a second one, 'mean,sd,mean'"):
        read(f"{first}\nmean,sd,mean\n{ROWS_OF_NUMBERS}")


def test_text_in_one_column_is_no_line_of_units() -> None:
    with pytest.raises(DataError, match="v holds numbers, and in 1 row 'low'"):
        read(f"t,v,m\n0,low,1\n{ROWS_OF_NUMBERS * 4}")
    frame, remarks = read("town,n\n" + "Bern,\n" + "Chur,1\n" * 6)
    assert (len(frame), remarks) == (7, "")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ('{"a": 1, "y": 2}\n{"a": 3, "y": 4}\n', "JSON"),
        ('[{"a": 1, "y": 2},\n{"a": 3, "y": 4}]', "JSON"),
        ('{\n  "data": [[1, 2], [3, 4]]\n}\n', "JSON"),
        ("[[1, 2],\n [3, 4]]\n", "JSON"),
        ("<!DOCTYPE html>\n<html><head><title>404, not found</title></head></html>", "a web page"),
        ("\n\n <html>\n<table><tr><td>a</td><td>b,c</td></tr></table></html>", "a web page"),
        ('<?xml version="1.0"?>\n<rows><row a="1"/></rows>', "a web page or XML"),
        ("\ufeff<table><tr><td>1</td></tr></table>", "a web page"),
        (
            "% of KEEL\n@relation iris\n@attribute a real [0, 1]\n@data\n1\n",
            "a table of Weka or KEEL",
        ),
        ("%PDF-1.4\n1 0 obj\n<< /a 1 >>\n", "a file of another program"),
    ],
)
def test_what_is_no_table_is_named(data: str, what: str) -> None:
    with pytest.raises(DataError, match=f"own holds {what}"):
        read(data)


def test_signs_of_other_formats_in_a_table_are_values() -> None:
    frame, _ = read("[id],{n},<=y\n1,2,3\n4,5,6\n")
    assert list(frame) == ["[id]", "{n}", "<=y"]


def test_row_names_that_r_counts() -> None:
    frame, _ = read('"mpg","name"\n"1",21.5,"a"\n"2",22,"b"\n"3",20,"b"\n')
    assert list(frame) == ["row names", "mpg", "name"]
    np.testing.assert_array_equal(frame["mpg"], [21.5, 22, 20])
    for rows in ('"1","2","3"\n"2","3","4"\n', '"1",2,3\n"1",3,4\n', '1,2,"3"\n2,3,"4"\n'):
        with pytest.raises(DataError, match="names 2 columns and its lines have 3 values"):
            read('"a","b"\n' + rows)


@pytest.mark.parametrize("sign", ["\xa0", "\x85", "\u2028", "\x1c", "\x0c"])
def test_signs_that_python_takes_for_spaces_or_ends_of_lines_are_text(sign: str) -> None:
    frame, _ = read(f"town,size\na{sign}b,1\nc{sign}d,2\ne,3\n")
    assert frame["town"].astype(str).tolist() == [f"a{sign}b", f"c{sign}d", "e"]


def test_no_break_spaces_separate_nothing() -> None:
    frame, _ = read("town size\na\xa0b 1\nc 2\n")
    assert frame["town"].astype(str).tolist() == ["a\xa0b", "c"]


def test_bytes_of_no_table_are_refused() -> None:
    with pytest.raises(DataError, match="a table needs rows; own has 1 column name and no row"):
        read(b"\x86A\xf0")


def test_tabs_among_spaces_are_spaces() -> None:
    frame, _ = read("a b\tc   y\n1 2\t3   0\n4 5\t6   1\n")
    assert list(frame) == ["a", "b", "c", "y"]
    assert frame["c"].tolist() == [3, 6]
    frame, _ = read("the a\ty\n1 2\tb\n2 3\tc\n")  # text with spaces between tabs
    assert list(frame) == ["the a", "y"]


def test_columns_aligned_by_spaces_may_hold_text_with_spaces() -> None:
    towns = ["Bern", "New York", "Rio de Janeiro", "Oslo", "Los Angeles"]
    lines = "".join(f"{town:<16}{i * 7:>5}{i / 4:>8}\n" for i, town in enumerate(towns))
    frame, remarks = read(f"{'the town':<16}{'size':>5}{'y':>8}\n{lines}")
    assert list(frame) == ["the town", "size", "y"]
    assert frame["the town"].astype(str).tolist() == towns
    np.testing.assert_array_equal(frame["y"], np.arange(5) / 4)
    assert remarks == "columns are where no line has anything but spaces (--sep)"
    with pytest.raises(DataError, match="line 421 of own has something between two of them"):
        read(lines * 84 + f"{'Constantinople-on-the-sea':<28}1\n")
    with pytest.raises(DataError, match="every line must have as many values"):
        read("as it is\nwritten in lines of\nprose that has\nno column at\nall in it\nat all\n")


def test_quoted_text_behind_a_tab_among_spaces() -> None:
    frame, _ = read('18.0   8   307.0\t"chevrolet chevelle"\n15.0   8   ?\t"buick"\n')
    assert frame["4"].astype(str).tolist() == ["chevrolet chevelle", "buick"]
    np.testing.assert_array_equal(frame["3"], [307, np.nan])


@pytest.mark.parametrize(
    "above", ["Sales 2023\n\n", "Sales 2023,,,\nby hand,,,\n,,,\n", '"a, b"\n']
)
def test_what_stands_above_the_table_is_left_out_and_said(above: str) -> None:
    lines = "".join(f"Bern,x,{i},{i / 2}\n" for i in range(6))
    frame, remarks = read(f"{above}town,kind,n,y\n{lines}")
    assert list(frame) == ["town", "kind", "n", "y"]
    assert len(frame) == 6
    assert remarks.startswith("left out above the table: ")
    frame, remarks = read(above + lines)
    assert (list(frame), len(frame)) == (["1", "2", "3", "4"], 6)
    frame, remarks = read("a,b,c,y\n1,,,\n,2,,\n,,3,\n,,,4\n")  # gaps are no titles
    assert (len(frame), remarks) == (4, "")


def test_numbers_with_units_and_times_of_day() -> None:
    frame, remarks = read(
        "a,b,c,d,e,f\n12 kg,$3,5%,1.5M,18:30,36 months\n7.5 kg,$4,,300K,06:00,1 month\n"
    )
    np.testing.assert_array_equal(frame["a"], [12, 7.5])
    np.testing.assert_array_equal(frame["c"], [5, np.nan])
    np.testing.assert_array_equal(frame["d"], [1_500_000, 300_000])
    np.testing.assert_array_equal(frame["e"], [66_600, 21_600])
    np.testing.assert_array_equal(frame["f"], [36, 1])
    assert remarks == (
        "a: kg is left out, as in '12 kg'; b: $ is left out, as in '$3'; "
        "c: % is left out, as in '5%'; d: K, M and B are read as powers of ten, as in '1.5M'; "
        "e: times such as '18:30:00' are read as seconds since midnight; "
        "f: month is left out, as in '36 months'"
    )
    for other in ("5 g", "van", "7", "B12"):
        frame, remarks = read(f"a,y\n12 kg,1\n7 kg,2\n{other},3\n")
        assert frame["a"].astype(str).tolist() == ["12 kg", "7 kg", other]
        assert remarks == ""
    frame, remarks = read("a,y\n12 kg,1\n?,2\nvan,3\n", kinds={"a": "number"})
    assert "a: what is no number is taken for a gap, as 'van'" in remarks
    np.testing.assert_array_equal(frame["a"], [12, np.nan, np.nan])
    lines = "".join(f"{i} kg,{i}\n" for i in range(40))
    with pytest.raises(DataError, match="a holds numbers, and in 1 row 'null kg'"):
        read(f"a,y\n{lines}null kg,0\n")


def test_years_as_names_beside_text() -> None:
    frame, _ = read("town,1960,1961,\nBern,7,8,\nChur,5,6,\n")
    assert list(frame) == ["town", "1960", "1961"]


def test_a_column_without_a_name_beside_numbers_as_names() -> None:
    frame, _ = read(",1,2\na,5,6\nb,7,8\nb,7,8\n")
    assert list(frame) == ["column 1", "1", "2"]


def test_other_markers_of_gaps() -> None:
    frame, _ = read("a,b\n1,x\n<null>,\\N\n\\N,<NA>\n2,y\n\x1a")
    np.testing.assert_array_equal(frame["a"], [1, np.nan, np.nan, 2])
    assert frame["b"].isna().tolist() == [False, True, True, False]
    frame, _ = read("a,b\n1,x\n-999.0,y\n2,-999\n", na=("-999",))
    np.testing.assert_array_equal(frame["a"], [1, np.nan, 2])
    assert frame["b"].isna().tolist() == [False, False, True]


def test_infinity_is_refused_or_a_gap() -> None:
    frame, _ = read("a,y\n1,2\ninf,3\n-inf,4\n", na=("inf",))
    np.testing.assert_array_equal(frame["a"], [1, np.nan, -np.inf])


def test_what_is_wrong_with_several_columns_is_a_list() -> None:
    lines = "".join(f"{i},{i}\n" for i in range(30))
    with pytest.raises(DataError) as caught:
        read(f"a,b\n{lines}x,1\n1,y\n")
    first, *others = str(caught.value).splitlines()
    assert first.startswith("a column is numbers or text; in own")
    assert [line[:18] for line in others] == ["  a holds numbers,", "  b holds numbers,"]


def test_codes_with_leading_zeros_are_text() -> None:
    frame, _ = read("zip,n\n00501,1\n10115,2\n")
    assert frame["zip"].astype(str).tolist() == ["00501", "10115"]


def test_numbers_with_a_stray_text_are_refused_with_what_settles_it() -> None:
    lines = "a,b\n" + "".join(f"{i},{i}\n" for i in range(30)) + "unclear,1\n"
    with pytest.raises(DataError, match=r"a holds numbers, and in 1 row 'unclear'.*--na"):
        read(lines)
    assert math.isnan(read(lines, na=("unclear",))[0]["a"].iloc[-1])
    assert read(lines, kinds={"a": "category"})[0]["a"].iloc[-1] == "unclear"
    assert math.isnan(read(lines, kinds={"a": "number"})[0]["a"].iloc[-1])


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ("%Y-%m-%d", False), ("%d.%m.%Y", False), ("%m/%d/%Y", False), ("%d-%b-%Y", False),
        ("%Y-%m-%dT%H:%M:%S", False), ("%Y%m%dT%H%M%S", False),
        ("%Y-%m-%d %H:%M:%S UTC", False), ("%d/%m/%Y %H:%M", False), ("%B %d, %Y", False),
    ],
)  # fmt: skip
def test_dates(spelling: str, said: bool) -> None:
    days = pd.to_datetime(["2020-01-31 00:00", "2021-12-13 00:00", "1999-02-28 00:00"])
    written = "".join(f'"{day.strftime(spelling)}",1\n' for day in days)
    frame, remarks = read(f"when,n\n{written},2\n")
    assert frame["when"].tolist()[:3] == list(days)
    assert pd.isna(frame["when"].iloc[3])
    assert ("guess" in remarks) is said


def test_dates_that_may_be_either_are_said() -> None:
    frame, remarks = read("when,n\n01/02/2020,1\n03/04/2020,2\n")
    assert frame["when"].dt.month.tolist() == [1, 3]
    assert "when: dates such as '01/02/2020' are read with the month first" in remarks


def test_dates_of_several_spellings_are_left_as_text_and_said() -> None:
    frame, remarks = read('when,n\n2020-01-31,1\n31/01/2020,2\n"March 1, 2020",3\n31/01/2020,4\n')
    assert frame["when"].astype(str).tolist()[:2] == ["2020-01-31", "31/01/2020"]
    assert "when: dates of several spellings, such as '2020-01-31', '" in remarks
    assert "are left as text; write them in one" in remarks
    assert read("when,n\n2020-01-31,1\n1-2-x,2\n")[1] == ""
    assert read("phone,n\n555-123-4567,1\n555-765-4321,2\n")[1] == ""


CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.integers(-(10**6), 10**6).map(str),
    st.sampled_from(["", "NA", "?", "yes", "a b", "x;y", "it's", 'say "no"', "ä", "<=50K", "1,5"]),
)


@st.composite
def written_tables(draw: st.DrawFn) -> tuple[list[list[str]], str, bool]:
    columns, rows = draw(st.integers(2, 5)), draw(st.integers(3, 12))
    kinds = [draw(st.sampled_from(["number", "text"])) for _ in range(columns)]
    numbers = st.integers(-999, 999).map(str) | st.floats(-9, 9, width=16).map(repr)
    texts = st.sampled_from(["red", "blue", "a b", "x;y", "it's", 'say "no"', "ä", "<=50K"])
    of = {"number": st.just("") | numbers, "text": texts}
    names = draw(
        st.lists(st.from_regex(r"[a-z]{3,8}", fullmatch=True), min_size=columns, max_size=columns,
            unique=True)
    )  # fmt: skip
    assume("number" in kinds)
    body = [[draw(of[kind]) for kind in kinds] for _ in range(rows)]
    for i, kind in enumerate(kinds):
        body[0][i] = "12" if kind == "number" else "red"
    return [names, *body], draw(st.sampled_from([",", ";", "\t", "|"])), draw(st.booleans())


@settings(
    max_examples=50, deadline=None, phases=[Phase.explicit, Phase.generate], derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(written_tables())
def test_what_was_written_is_read(table: tuple[list[list[str]], str, bool]) -> None:
    (names, *body), sep, quote = table
    stream = io.StringIO()
    quoting: Any = csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL
    csv.writer(stream, delimiter=sep, quoting=quoting).writerows([names, *body])
    frame, _ = read(stream.getvalue())
    assert list(frame) == names
    for name, cells in zip(names, zip(*body, strict=True), strict=True):
        if cells[0] == "12":
            expected = [float(cell) if cell else np.nan for cell in cells]
            np.testing.assert_array_equal(frame[name].to_numpy(float), expected)
        else:
            assert frame[name].astype(object).tolist() == list(cells)


@pytest.mark.slow
@settings(
    max_examples=10_000,
    derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="01,;.\t |\"'#\nab-?é$%\r", max_size=120).map(str.encode),
        st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8).map(
            lambda rows: "\n".join(map(",".join, rows)).encode()
        ),
    )
)
def test_no_file_at_random_gives_a_traceback_or_loses_a_row_without_a_word(data: bytes) -> None:
    try:
        frame, remarks = read(data)
    except DataError:
        return
    assert len(frame)
    lines = [line for line in data.replace(b"\r", b"\n").split(b"\n") if line.strip(b" \t,;|\"'")]
    said = ("the table: " in remarks) or data.startswith((b"#", b"%", b"\xff\xfe", b"\xfe\xff"))
    if b'"' not in data and not said and "guess" not in remarks:
        assert len(frame) >= len(lines) - 2, "a line of names, a line sep="


def test_the_file_that_is_named_is_read(tmp_path: Path) -> None:
    from tuner.data import load_dataset

    (tmp_path / "own.data").write_text("1 2 a\n3 4 b\n5 1 a\n7 1 b\n")
    own = load_dataset(f"csv:{tmp_path / 'own.data'}", target="-1", drop=["1"])
    assert (own.feature_names, own.target_names, own.rows) == (("2",), ("3",), 4)
