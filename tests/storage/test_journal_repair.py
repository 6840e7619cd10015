"""Torn journals: cut at every byte, glued by stock Optuna, full of garbage; mended, and gone on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from tests.support.studies import definition, load, prepare, work
from tuner.errors import StorageError, StudyConflictError
from tuner.search import prepare as lifecycle
from tuner.search.tickets import read_counts
from tuner.storage import journal_repair, open_storage, records
from tuner.storage.journal_file import JournalFile
from tuner.storage.journal_lock import break_lock, lock_path, read_holder
from tuner.storage.journal_repair import (
    mend_lines,
    mend_tail,
    parse_record,
    rescue,
    scan_journal,
)
from tuner.storage.owner import new_owner

TRIALS = 2
MADE = definition(trials=TRIALS, pruner="none")


@pytest.fixture
def quick(monkeypatch):
    """No waiting for the disk, nor for a study that another process is making."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(lifecycle, "_MAKING", 0.0)


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> bytes:
    """A study from its creation to the last result."""
    path = tmp_path_factory.mktemp("journal") / "a"
    prepare(f"journal:{path}", MADE)
    work(f"journal:{path}")
    # As of a worker that has died, since this process has not.
    place, number, *_ = new_owner().split(":")
    content, count = re.subn(
        rb"(%s:%s):[\d.]+:" % (place.encode(), number.encode()), rb"\1:1.00:", path.read_bytes()
    )
    assert count == TRIALS
    return content


def ends(content: bytes) -> list[int]:
    """Bytes up to the end of each record, and 0."""
    return [0, *(i + 1 for i, byte in enumerate(content) if byte == 10)]


def finish(path: Path) -> None:
    """Prepare and work; all there was is there still, and the budget is exact."""
    url = f"journal:{path}"
    storage = open_storage(url)
    studies = storage.get_all_studies()
    trials = storage.get_all_trials(studies[0]._study_id) if studies else []
    told = {t.user_attrs[records.TICKET]: t.value for t in trials if t.state.is_finished()}
    prepare(url, MADE)
    assert work(url, grace=0.1, heartbeat=0.05)[0] == "done"
    study = load(url)
    complete = [t for t in study.trials if t.state == TrialState.COMPLETE]
    values = {t.user_attrs[records.TICKET]: t.value for t in complete}
    assert sorted(values) == list(range(TRIALS))
    assert len(complete) == TRIALS
    assert values.items() >= told.items()
    counts = read_counts(study)
    assert (counts.total, counts.complete) == (TRIALS, TRIALS)
    stock = list(JournalFileBackend(str(path)).read_logs(0))
    assert len(stock) == scan_journal(path).records


def check_torn(path: Path, content: bytes, cut: int, end: int) -> None:
    """The journal cut at byte `cut`, whose last whole record ends at `end`, is found torn and
    mended to exactly that; what is cut is kept."""
    path.write_bytes(content[:cut])
    scan = scan_journal(path)
    assert (scan.end, scan.torn, scan.broken) == (end, cut - end, ())
    mended = mend_tail(path)
    if cut == end:
        assert mended is None
        return
    # All but the line's end is there: nothing has to be lost.
    whole = cut + 1 in ends(content)
    assert path.read_bytes() == content[: cut + 1 if whole else end]
    assert (mended.cut, mended.rescued) == (cut - end, int(whole))
    assert mended.saved.name.startswith(f"{path.name}.torn-")
    assert mended.saved.read_bytes() == content[end:cut]
    mended.saved.unlink()
    assert mend_tail(path) is None
    assert scan_journal(path).torn == 0


def test_the_last_record_torn_at_every_byte_is_found_and_mended(tmp_path, journal, quick):
    *_, start, end = ends(journal)
    assert end - start > 100
    path = tmp_path / "a"
    for cut in range(start, end):
        check_torn(path, journal, cut, start)
    # Every cut led to one of two files: the record is there, or it is not.
    for content in (journal[:start], journal):
        path.write_bytes(content)
        finish(path)


@pytest.mark.slow
def test_a_journal_torn_at_any_byte_is_mended_and_its_budget_ends_exactly(tmp_path, journal, quick):
    """At every byte of every write, those of several records as well: the making of the study,
    of its tickets, the taking of one, its results."""
    path = tmp_path / "a"
    boundaries = ends(journal)
    for start, end in pairwise(boundaries):
        for cut in range(start, end):
            check_torn(path, journal, cut, start)
        path.write_bytes(journal[:start])
        finish(path)


@pytest.mark.slow
def test_ordinary_commands_mend_a_torn_journal_themselves(tmp_path, journal, quick):
    """Every record torn in its middle; nobody repairs, the commands go on."""
    path = tmp_path / "a"
    boundaries = ends(journal)
    for start, end in pairwise(boundaries):
        path.write_bytes(journal[: (start + end) // 2])
        finish(path)
    kept = [file for file in tmp_path.iterdir() if ".torn-" in file.name]
    assert len(kept) == len(boundaries) - 1


def test_a_study_whose_making_was_torn_is_completed(tmp_path, journal, quick):
    """After its name, and after each thing that it is known by."""
    path = tmp_path / "a"
    for end in ends(journal)[1:7]:
        path.write_bytes(journal[:end] + b'{"op_code":2,"wor')
        made = prepare(f"journal:{path}", MADE)
        assert (made.total, made.done) == (TRIALS, 0)
        study = load(f"journal:{path}")
        assert study.user_attrs[records.STUDY_DEFINITION_HASH] == made.definition.hash()
        assert study.user_attrs[records.STUDY_DATA_HASH] == "fake"
        assert len(study.trials) == TRIALS


def test_a_half_made_study_of_another_definition_is_refused(tmp_path, journal, quick):
    path = tmp_path / "a"
    path.write_bytes(journal[: ends(journal)[3]])
    before = path.read_bytes()
    with pytest.raises(StudyConflictError, match="stored 5, given 3"):
        prepare(f"journal:{path}", definition(trials=TRIALS, pruner="none", folds__k=3))
    assert path.read_bytes() == before
    path.write_bytes(journal[: ends(journal)[1]])
    before = path.read_bytes()
    with pytest.raises(StudyConflictError, match="something else made it"):
        prepare(f"journal:{path}", definition(objective__metric="loss"))
    assert path.read_bytes() == before


def test_a_record_appended_to_a_torn_journal_is_whole_for_everybody(tmp_path, journal, quick):
    *_, start, end = ends(journal)
    path = tmp_path / "a"
    reader = None
    for cut in (start, *range(start + 1, end - 1, 12), end - 1):
        path.write_bytes(journal[:cut])
        reader = JournalFile(path)
        before = len(list(reader.read_logs(0)))
        JournalFile(path).append_logs([{"op_code": 9, "worker_id": "w"}])
        # One that had read before the tear was cut off goes on behind it.
        *_, last = reader.read_logs(before)
        assert last == {"op_code": 9, "worker_id": "w"}
        assert list(JournalFile(path).read_logs(0)) == list(
            JournalFileBackend(str(path)).read_logs(0)
        )


def test_garbage_at_the_end_is_cut_off(tmp_path, journal):
    """What a power cut or a network file system leaves: zeros, other files' bytes, line ends."""
    path = tmp_path / "a"
    for garbage in (
        bytes(100_000),
        b"\n",
        b"\n\n\xff\xfe\x00{}\n[1]\n",
        b'{"op_code"\xff\n',
        bytes(range(256)) * 50,
        b'{"op_code": 1}\n',
        b"[" * 5000 + b"\n",
        b"\xef\xbb\xbf",
    ):
        path.write_bytes(journal + garbage)
        scan = scan_journal(path)
        assert (scan.end, scan.torn, scan.broken) == (len(journal), len(garbage), ())
        assert len(load(f"journal:{path}").trials) == TRIALS  # reading goes on without it
        mended = mend_tail(path)
        assert (mended.cut, mended.rescued) == (len(garbage), 0)
        assert mended.saved.read_bytes() == garbage
        assert path.read_bytes() == journal
    path.write_bytes(b"\x00" * 10)
    assert mend_tail(path).cut == 10
    assert path.read_bytes() == b""
    assert mend_tail(path) is None


def test_pieces_cut_in_one_second_are_all_kept(tmp_path):
    path = tmp_path / "a"
    for number in range(3):
        path.write_bytes(b"torn %d" % number)
        mend_tail(path)
    kept = sorted(file.read_bytes() for file in tmp_path.glob("a.torn-*"))
    assert kept == [b"torn 0", b"torn 1", b"torn 2"]


def test_a_long_last_record_is_found_from_its_end(tmp_path):
    path = tmp_path / "a"
    record = b'{"op_code":8,"worker_id":"w","x":"%s"}\n' % (b"y" * 300_000)
    path.write_bytes(record * 2 + record[:200_000])
    assert scan_journal(path).end == 2 * len(record)
    assert mend_tail(path).cut == 200_000
    assert path.read_bytes() == record * 2


# About a study that does not exist: readers pass over them.
RECORDS = [
    b'{"op_code":2,"worker_id":"w","study_id":9,"user_attr":{"n":%d}}\n' % n for n in range(5)
]


def test_what_stock_optuna_glues_to_a_torn_record_is_rescued(tmp_path):
    """Optuna's own file backend appends behind whatever stands there."""
    path = tmp_path / "a"
    path.write_bytes(b"".join(RECORDS[:2]) + RECORDS[2][:20])
    JournalFileBackend(str(path)).append_logs([{"op_code": 8, "worker_id": "stock"}])
    assert rescue(path.read_bytes().splitlines()[-1]) == b'{"op_code":8,"worker_id":"stock"}\n'
    mended = mend_tail(path)
    assert mended.rescued == 1
    assert [log["worker_id"] for log in JournalFile(path).read_logs(0)] == ["w", "w", "stock"]


def test_a_broken_line_before_whole_records_is_named_and_taken_out(tmp_path):
    path = tmp_path / "a"
    glued = RECORDS[2][:20] + RECORDS[3]
    content = RECORDS[0] + glued + b"\x00\n" + RECORDS[4]
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"its line 2 is none.*tuner doctor --repair"):
        list(JournalFile(path).read_logs(0))
    with pytest.raises(StorageError, match="no readable journal"):
        open_storage(f"journal:{path}")
    scan = scan_journal(path)
    assert (scan.broken, scan.records, scan.torn) == ((2, 3), 2, 0)
    assert mend_tail(path) is None  # not the business of whoever appends
    mended = mend_lines(path, scan)
    assert (mended.cut, mended.rescued) == (len(glued) + 2, 1)
    assert path.read_bytes() == RECORDS[0] + RECORDS[3] + RECORDS[4]
    assert mended.saved.read_bytes() == glued + b"\x00\n"
    assert mend_lines(path, scan_journal(path)) is None


def test_a_record_is_a_line_with_one_of_optunas_objects():
    assert parse_record(RECORDS[0])["user_attr"] == {"n": 0}
    for line in (RECORDS[0][:-1], b"{}\n", b"1\n", b"\n", b"", b"\xff\n", RECORDS[0] * 2):
        assert parse_record(line) is None


def test_a_full_disk_leaves_no_torn_record(tmp_path, monkeypatch):
    path = tmp_path / "a"
    file = JournalFile(path)
    file.append_logs([{"op_code": 8, "worker_id": "w"}])
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            file.append_logs([{"op_code": 8, "worker_id": "w", "x": "y" * 10_000}])
    assert path.read_bytes() == before
    assert not path.with_name("a.lock").exists()


def test_who_stood_still_cuts_nothing_that_others_wrote_meanwhile(tmp_path, monkeypatch):
    """Its lock was broken, another process mended the tail and appended."""
    path = tmp_path / "a"
    path.write_bytes(RECORDS[0] + RECORDS[1][:9])
    save = journal_repair._save

    def meanwhile(own, content):
        monkeypatch.setattr(journal_repair, "_save", save)
        mend_tail(path)
        with path.open("ab") as file:
            file.write(RECORDS[2] + RECORDS[3])
        return save(own, content)

    monkeypatch.setattr(journal_repair, "_save", meanwhile)
    assert mend_tail(path) is None
    assert path.read_bytes() == RECORDS[0] + RECORDS[2] + RECORDS[3]


def test_who_stood_still_takes_nothing_back_that_others_wrote_meanwhile(tmp_path, monkeypatch):
    path = tmp_path / "a"
    file = JournalFile(path)

    def hangs(handle: int) -> None:
        assert break_lock(lock_path(path), read_holder(lock_path(path)))
        with path.open("ab") as other:
            other.write(RECORDS[1])
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", hangs)
        with pytest.raises(OSError, match="Input/output"):
            file.append_logs([{"op_code": 8, "worker_id": "w"}])
    assert path.read_bytes().endswith(RECORDS[1])


def test_a_journal_in_a_relative_folder_survives_a_dead_writer(tmp_path, monkeypatch, quick):
    """Optuna's link to a relative path leads nowhere, and its lock is then waited for for ever."""
    from test_journal_lock import dead_owner

    monkeypatch.chdir(tmp_path)
    prepare("journal:sub/a", MADE)
    Path("sub/a.lock").write_text(dead_owner())
    assert work("journal:sub/a")[0] == "done"
    assert not Path("sub/a.lock").exists()


DIES = """
import os, signal, sys
from pathlib import Path
from tuner.storage.journal_lock import JournalLock
path = Path(sys.argv[1])
JournalLock(path).acquire()
with path.open("ab", buffering=0) as file:
    file.write(b'{"op_code":9,"worker_id":"dies","trial_id":0,"system_at')
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_writer_killed_in_the_middle_of_a_write_hurts_no_other(tmp_path):
    """Three times, while a worker is at it; it neither waits for the dead one's lock nor loses a
    record."""
    path = tmp_path / "a"
    url = f"journal:{path}"
    prepare(url, definition(trials=4, pruner="none"))
    killed = 0

    def kill(event: object) -> None:
        nonlocal killed
        if type(event).__name__ == "TrialStarted" and killed < 3:
            killed += 1
            ended = subprocess.run([sys.executable, "-c", DIES, str(path)], timeout=120)
            assert ended.returncode == -9
            assert path.with_name("a.lock").exists()
            assert scan_journal(path).torn > 0

    assert work(url, on_event=kill)[0] == "done"
    assert killed == 3
    assert read_counts(load(url)).complete == 4
    assert len(load(url).trials) == 4
    assert len(list(tmp_path.glob("a.torn-*"))) == 3
    scan = scan_journal(path)
    assert (scan.torn, scan.broken) == (0, ())
    assert len(list(JournalFileBackend(str(path)).read_logs(0))) == scan.records
