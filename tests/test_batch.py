"""Many documents: which are found, what the journal keeps, and that nothing is lost whatever ends."""

import itertools
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from docrec.batch import TRIES, Event, Job, Journal, Message, Processes, Reader, Reading, Watch, Worker, find_jobs, run
from docrec.errors import BundleError, FileAccessError, InputFileError, OptionError
from docrec.options import ReadOptions

DONE: list[Message | None] = [("ready", "", 0), ("page", "", 1), ("done", "", 1)]


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"content")


def draw_pdf(path: Path, *texts: str) -> str:
    with pymupdf.open() as document:
        for text in texts:
            document.new_page(width=300, height=150).insert_text((40, 60), text, fontname="china-s", fontsize=12)
        path.parent.mkdir(parents=True, exist_ok=True)
        document.save(path)
    return str(path)


# What is found


@pytest.mark.parametrize(
    ("there", "paths", "out", "places"),
    [
        pytest.param("a.pdf b/c.PNG b/d/e.tif b/f.txt", ".", "out", {"a", "b/c", "b/d/e"}, id="folder: its tree is kept, other files left"),
        pytest.param("a.pdf b/c.pdf", "b a.pdf", "out", {"a", "c"}, id="folder and file"),
        pytest.param("a.pdf a.png b.png", ".", "out", {"a.pdf", "a.png", "b"}, id="alike but for suffix"),
        pytest.param("in/a.pdf in/b/a.pdf in/a.txt", "in/**/*.pdf", "out", {"a", "b/a"}, id="pattern"),
        pytest.param("a1.pdf a2.pdf b1.pdf", "a?.pdf [b]*.pdf", "out", {"a1", "a2", "b1"}, id="two patterns"),
        pytest.param("a[1].pdf", "a[1].pdf", "out", {"a[1]"}, id="file named like a pattern"),
        pytest.param("a.scan", "a.scan", "out", {"a"}, id="file of any name, if named"),
        pytest.param("in/a.pdf in/out/b.pdf in/out/.docrec/c.pdf", "in", "in/out", {"a"}, id="outputs within the folder"),
        pytest.param("in/a.pdf in/.docrec/c.pdf", "in", "in", {"a"}, id="outputs beside the documents"),
        pytest.param("in/a.pdf", "in", ".", {"a"}, id="outputs above the folder"),
        pytest.param("b.txt", ".", "out", set(), id="nothing"),
    ],
)
def test_documents_are_found(there: str, paths: str, out: str, places: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, *there.split())
    jobs = find_jobs(paths.split(), out)
    assert {os.path.relpath(job.target, out) for job in jobs} == places
    assert all(os.path.isfile(job.source) for job in jobs)


@pytest.mark.parametrize(
    ("there", "paths", "out", "formats", "error", "message"),
    [
        ("a.pdf", "b.pdf", "out", "txt", InputFileError, "b.pdf"),
        ("a.pdf", "*.png", "out", "txt", InputFileError, "fits the pattern"),
        ("a/x.pdf b/x.pdf", "a b", "out", "txt", OptionError, "a/x.pdf and b/x.pdf"),
        ("in/a.pdf", "in", "in", "txt,pdf", OptionError, "must not overwrite"),
        ("a.pdf", "a.pdf", "out", "doc", OptionError, "'doc'"),
    ],
)
def test_what_cannot_be_done_is_refused_at_once(
    there: str, paths: str, out: str, formats: str, error: type[Exception], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, *there.split())
    with pytest.raises(error, match=message):
        find_jobs(paths.split(), out, formats)


def test_a_watched_document_is_given_when_it_grows_no_more_and_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    look = Watch(lambda: find_jobs([str(tmp_path)], str(tmp_path / "out")))
    assert look() == []
    path.write_bytes(b"begin")
    assert look() == []
    path.write_bytes(b"begin and end")
    assert look() == [], "it has grown"
    assert [job.source for job in look()] == [str(path)]
    assert look() == []
    path.write_bytes(b"another")
    assert look() == []
    assert [job.source for job in look()] == [str(path)]


def test_watching_goes_on_when_documents_collide(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "a/x.pdf", "b/x.pdf")
    look = Watch(lambda: find_jobs([str(tmp_path / "a"), str(tmp_path / "b")], "out"))
    assert look() == look() == []
    assert "have the same" in caplog.text


# The journal


@pytest.fixture
def job(tmp_path: Path) -> Job:
    touch(tmp_path, "in/a.pdf", "out/a.txt")
    return Job(str(tmp_path / "in" / "a.pdf"), str(tmp_path / "out" / "a"))


def note(journal: Journal, job: Job, kind: str = "done") -> None:
    journal.add(Event(kind, job, 1), journal.fingerprint(job))


def is_done(out: Path, job: Job, reading: Reading = Reading()) -> bool:  # noqa: B008 (it is frozen)
    with Journal(str(out), reading) as journal:
        return journal.is_done(job)


def test_what_is_done_stays_done_unless_anything_changes(job: Job, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Journal(str(out), Reading()) as journal:
        assert not journal.is_done(job)
        note(journal, job)
        assert journal.is_done(job)
    assert is_done(out, job)
    assert not is_done(out, job, Reading(ReadOptions(dpi=300)))
    assert not is_done(out, job, Reading(formats="json"))
    assert not is_done(out, job, Reading(paragraphs=True))
    os.utime(job.source, (1, 1))
    assert not is_done(out, job)


def test_outputs_that_are_gone_are_made_again(job: Job, tmp_path: Path) -> None:
    with Journal(str(tmp_path / "out"), Reading()) as journal:
        note(journal, job)
        os.unlink(f"{job.target}.txt")
        assert not journal.is_done(job)


def test_what_failed_is_tried_again(job: Job, tmp_path: Path) -> None:
    with Journal(str(tmp_path / "out"), Reading()) as journal:
        note(journal, job)
        note(journal, job, "failed")
    assert not is_done(tmp_path / "out", job)


def test_a_document_that_changes_while_it_is_read_is_read_again(job: Job, tmp_path: Path) -> None:
    with Journal(str(tmp_path / "out"), Reading()) as journal:
        before = journal.fingerprint(job)
        Path(job.source).write_bytes(b"changed meanwhile")
        journal.add(Event("done", job, 1), before)
        assert not journal.is_done(job)


@pytest.mark.parametrize("tail", [b'{"document": "/x", "sta', b"\0\0\0\0\0", b"\0\0\0\n"])
def test_a_row_that_was_not_written_to_its_end_does_not_count(job: Job, tail: bytes, tmp_path: Path) -> None:
    with Journal(str(tmp_path / "out"), Reading()) as journal:
        note(journal, job)
    rows = tmp_path / "out" / ".docrec" / "journal.jsonl"
    whole = rows.read_bytes()
    rows.write_bytes(whole + tail)
    assert is_done(tmp_path / "out", job)
    with Journal(str(tmp_path / "out"), Reading()) as journal:
        note(journal, job)
    assert rows.read_bytes() == whole * 2


def test_one_run_at_a_time_writes_to_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with Journal(str(tmp_path), Reading()), pytest.raises(FileAccessError, match="one run at a time"):
        Journal(str(tmp_path), Reading()).__enter__()
    with Journal(str(tmp_path), Reading()):
        pass


def test_a_folder_that_cannot_be_written_is_told(read_only_folder: Path) -> None:
    with pytest.raises(FileAccessError, match="--out-dir"), Journal(str(read_only_folder / "out"), Reading()):
        pass


# Reading


@pytest.fixture
def reading(tiny_model: Path) -> Reading:
    """By the tiny model, which is sure of nothing."""
    return Reading(ReadOptions(min_confidence=0, mode="force"), "txt,json", model=str(tiny_model), device="cpu")


def read(reader: Reader, job: Job, pages_file: Path) -> list[Message]:
    return [message for message in reader.read(job, pages_file) if not isinstance(message, tuple) or message[0] != "ready"]


@pytest.fixture
def book(tmp_path: Path) -> str:
    return draw_pdf(tmp_path / "book.pdf", "山高月小", "水落石出", "", "曾日月之几何")


def test_a_book_goes_on_where_it_was_stopped_and_ends_the_same(book: str, reading: Reading, tmp_path: Path) -> None:
    reader = Reader(reading)
    straight = Job(book, str(tmp_path / "straight" / "book"))
    pages = [("page", "", number) for number in (1, 2, 3, 4)]
    assert read(reader, straight, tmp_path / "straight.jsonl") == [*pages, ("done", "", 4)]
    assert Path(f"{straight.target}.txt").read_text().count("\f") == 3
    whole = (tmp_path / "straight.jsonl").read_bytes()
    starts = [0, *itertools.accumulate(map(len, whole.splitlines(keepends=True)))]
    for count, cut in [(0, 7), (0, starts[1]), (0, starts[1] + 9), (1, starts[2]), (2, starts[4] - 1), (3, starts[4]), (4, len(whole))]:
        job = Job(book, str(tmp_path / f"cut-{cut}" / "book"))
        (tmp_path / "pages.jsonl").write_bytes(whole[:cut])
        expected = pages[max(count - 1, 0) :]
        assert read(reader, job, tmp_path / "pages.jsonl") == [*expected, ("done", "", 4)], "what is there is told once"
        for output, _ in reading.outputs(job):
            assert Path(output).read_bytes() == Path(output.replace(f"cut-{cut}", "straight")).read_bytes()


def test_pages_that_are_there_are_not_read_again(book: str, reading: Reading, tmp_path: Path) -> None:
    pages_file = tmp_path / "pages.jsonl"
    messages = Reader(reading).read(Job(book, str(tmp_path / "out")), pages_file)
    assert [next(messages)[0] for _ in range(3)] == ["ready", "page", "page"]  # type: ignore[index]
    messages.close()  # type: ignore[attr-defined]
    header, first, second = pages_file.read_bytes().splitlines(keepends=True)
    told = json.loads(first)
    told["blocks"] = []
    pages_file.write_bytes(header + json.dumps(told).encode() + b"\n" + second)
    read(Reader(reading), Job(book, str(tmp_path / "out")), pages_file)
    assert (tmp_path / "out.txt").read_text().startswith("\n\f"), "the first page is taken from the file of pages"


def test_a_document_without_a_readable_page_fails_however_often_it_is_tried(reading: Reading, tmp_path: Path, root: Path) -> None:
    (tmp_path / "cut.pdf").write_bytes((root / "examples" / "sample.pdf").read_bytes()[:3000])  # of two pages the dictionaries alone
    job = Job(str(tmp_path / "cut.pdf"), str(tmp_path / "out"))
    first, again = (read(Reader(reading), job, tmp_path / "pages.jsonl")[-1] for _ in range(2))
    assert first == again
    assert first[0] == "failed"  # type: ignore[index]


def test_pages_of_a_document_as_it_was_before_are_read_again(book: str, reading: Reading, tmp_path: Path) -> None:
    reader, job = Reader(reading), Job(book, str(tmp_path / "out"))
    read(reader, job, tmp_path / "pages.jsonl")
    draw_pdf(Path(book), "只有一页")
    assert read(reader, job, tmp_path / "pages.jsonl") == [("page", "", 1), ("done", "", 1)]


def test_what_cannot_be_read_is_told_and_the_reader_goes_on(book: str, reading: Reading, tmp_path: Path) -> None:
    touch(tmp_path, "bad.pdf")
    reader = Reader(reading)
    kind, why, count = read(reader, Job(str(tmp_path / "bad.pdf"), str(tmp_path / "bad")), tmp_path / "1.jsonl")[-1]  # type: ignore[misc]
    assert (kind, count) == ("failed", 0)
    assert "bad.pdf" in why
    assert not (tmp_path / "bad.txt").exists()
    kind, why, _ = read(reader, Job(book, str(tmp_path / "bad.pdf" / "under-a-file")), tmp_path / "2.jsonl")[-1]  # type: ignore[misc]
    assert kind == "failed"
    assert read(reader, Job(book, str(tmp_path / "out")), tmp_path / "3.jsonl")[-1] == ("done", "", 4)


def test_a_model_that_is_not_there_is_one_error_not_one_for_each_document(book: str, reading: Reading, tmp_path: Path) -> None:
    jobs = [Job(book, str(tmp_path / name)) for name in "ab"]
    reading = replace(reading, model=str(tmp_path / "no-model"))
    (message,) = Reader(reading).read(jobs[0], tmp_path / "pages.jsonl")
    assert isinstance(message, BundleError)
    with Journal(str(tmp_path), Reading()) as journal, pytest.raises(BundleError):
        list(run(jobs, journal, Scripted({book: [[message]] * 2})))


# Several workers


class Scripted:
    """A pool whose workers read nothing: for each time that a document is begun there are the messages that they tell; then they hang."""

    def __init__(self, scripts: dict[str, list[list[Message | None]]], count: int = 2) -> None:
        self.count = count
        self.scripts = {os.path.basename(name): iter(scripts[name]) for name in scripts}
        self.started: list[Acting] = []

    def start(self) -> "Acting":
        self.started.append(Acting(self.scripts))
        return self.started[-1]

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, Message | None]]:
        assert len(workers) <= self.count
        for worker in workers:
            assert isinstance(worker, Acting)
            for message in worker.messages:
                return [(worker, message)]
        assert seconds is not None, "nobody will ever say anything"
        time.sleep(seconds)
        return []


class Acting:
    """A worker of Scripted."""

    def __init__(self, scripts: dict[str, Iterator[list[Message | None]]]) -> None:
        self.scripts = scripts
        self.messages: Iterator[Message | None] = iter(())
        self.has_ended = False

    def begin(self, job: Job, pages_file: Path) -> None:
        assert not self.has_ended
        self.messages = iter(next(self.scripts[os.path.basename(job.source)]))

    def end(self) -> None:
        self.has_ended = True


@pytest.fixture
def outcome(tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """Run scripted workers over documents called a, b, ...; the kinds of events with the documents' names, but for pages."""

    def run_scripts(pool: Scripted, timeout: float = 0.0) -> list[tuple[str, str]]:
        names = sorted(pool.scripts)
        touch(tmp_path, *names)
        jobs = [Job(str(tmp_path / name), str(tmp_path / "out" / name)) for name in names]
        with Journal(str(tmp_path / "out"), Reading()) as journal:
            events = list(run(jobs, journal, pool, timeout))
        assert all(worker.has_ended for worker in pool.started)
        return [(event.kind, os.path.basename(event.job.source)) for event in events if event.kind != "page"]

    return run_scripts


def test_documents_are_read_by_few_workers(outcome: Callable[..., list[tuple[str, str]]]) -> None:
    pool = Scripted({name: [DONE] for name in "abcde"})
    events = outcome(pool)
    assert len(events) == 10
    assert {(kind, name) for name in "abcde" for kind in ("started", "done")} == set(events)
    assert len(pool.started) == 2, "a worker reads one after another"


def test_a_document_that_fails_stops_no_other(outcome: Callable[..., list[tuple[str, str]]]) -> None:
    events = outcome(Scripted({"a": [[("ready", "", 0), ("failed", "why", 0)]], "b": [DONE], "c": [DONE]}))
    assert {event for event in events if event[0] != "started"} == {("failed", "a"), ("done", "b"), ("done", "c")}


def test_a_document_whose_worker_is_ended_is_read_by_another(outcome: Callable[..., list[tuple[str, str]]]) -> None:
    pool = Scripted({"a": [[("ready", "", 0), ("page", "", 1), None], DONE], "b": [DONE]})
    assert {event for event in outcome(pool) if event[0] != "started"} == {("done", "a"), ("done", "b")}


def test_a_document_that_always_ends_its_worker_is_given_up(outcome: Callable[..., list[tuple[str, str]]]) -> None:
    deadly: list[Message | None] = [("ready", "", 0), None]
    events = outcome(Scripted({"a": [deadly] * TRIES, "b": [DONE]}))
    assert events.count(("started", "a")) == TRIES
    assert {event for event in events if event[0] != "started"} == {("failed", "a"), ("done", "b")}


def test_a_document_that_hangs_is_given_up_after_the_timeout(outcome: Callable[..., list[tuple[str, str]]]) -> None:
    started = time.monotonic()
    events = outcome(Scripted({"a": [[("ready", "", 0), ("page", "", 1)]], "b": [DONE], "c": [DONE]}), timeout=0.2)
    assert {event for event in events if event[0] != "started"} == {("failed", "a"), ("done", "b"), ("done", "c")}
    assert time.monotonic() - started < 5


def test_what_workers_log_is_logged_here(outcome: Callable[..., list[tuple[str, str]]], caplog: pytest.LogCaptureFixture) -> None:
    outcome(Scripted({"a": [[("ready", "", 0), ("log", "page 3 is damaged", logging.WARNING), ("done", "", 1)]]}))
    assert [(record.getMessage(), record.levelname) for record in caplog.records] == [("page 3 is damaged", "WARNING")]


def test_what_writing_left_when_it_was_killed_is_removed(outcome: Callable[..., list[tuple[str, str]]], tmp_path: Path) -> None:
    touch(tmp_path, "out/.docrec-x7f2.tmp", "out/notes.tmp")
    outcome(Scripted({"a": [DONE]}))
    assert sorted(os.listdir(tmp_path / "out")) == [".docrec", "notes.tmp"]


def test_more_jobs_are_read_as_they_are_found(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docrec.batch.LOOK_SECONDS", 0.01)
    looks = iter([[], [job], [job]])
    pool = Scripted({"a.pdf": [[*DONE[:-1], ("failed", "why", 1)], DONE]})
    with Journal(str(tmp_path / "out"), Reading()) as journal:
        events = run([], journal, pool, look=lambda: next(looks, []))
        kinds = [event.kind for event in itertools.islice(events, 6)]
        events.close()
    assert kinds == ["started", "page", "failed", "started", "page", "done"]
    assert all(worker.has_ended for worker in pool.started)


@pytest.mark.slow
def test_processes_read_what_one_reads(reading: Reading, tmp_path: Path) -> None:
    for number in range(3):
        draw_pdf(tmp_path / "in" / f"{number}.pdf", "山高月小", f"第{number}篇")
    jobs = find_jobs([str(tmp_path / "in")], str(tmp_path / "out"))
    killed = False
    with Journal(str(tmp_path / "out"), reading) as journal:
        for event in run(jobs, journal, pool := Killing(reading, 2)):
            if event.kind == "page" and not killed:
                killed = True
                pool.processes[0]._process.kill()
            assert event.kind != "failed"
    for job in jobs:
        straight = replace(job, target=str(tmp_path / "straight" / os.path.basename(job.target)))
        read(Reader(reading), straight, tmp_path / "pages.jsonl")
        for (output, _), (expected, _) in zip(reading.outputs(job), reading.outputs(straight), strict=True):
            assert Path(output).read_bytes() == Path(expected).read_bytes()
    assert len(pool.processes) == 3
    assert os.listdir(tmp_path / "out" / ".docrec" / "pages") == []


class Killing(Processes):
    """Processes that are remembered."""

    def __init__(self, reading: Reading, count: int) -> None:
        super().__init__(reading, count)
        self.processes = []  # type: ignore[var-annotated]

    def start(self) -> Worker:  # type: ignore[override]
        self.processes.append(super().start())
        return self.processes[-1]
