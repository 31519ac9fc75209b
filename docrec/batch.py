"""Many documents: which they are, who reads them, and the journal from which a run that was stopped goes on."""

import glob
import hashlib
import json
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, BinaryIO

import cv2

from docrec import __version__
from docrec.charset import Charset
from docrec.document import Page
from docrec.errors import DocrecError, FileAccessError, InputFileError, OptionError
from docrec.options import ReadOptions, WriteOptions
from docrec.pipeline import recognize
from docrec.recognizer import load
from docrec.source import SUFFIXES, open_source
from docrec.writers import name_outputs, write
from docrec.writers.json import json_to_page, page_to_json

logger = logging.getLogger(__name__)

STATE = ".docrec"
"""Folder below that of the outputs in which the journal is kept."""
TRIES = 2
"""How often a document is begun that ends the process reading it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A document to read: `source`, its path, and `target`, the path of its outputs without their suffix."""

    source: str
    target: str


@dataclass(frozen=True)
class Reading:
    """How the documents are read, all alike; can be pickled.

    Attributes:
        read: see ReadOptions.
        formats: see `writers.name_outputs`.
        model: its folder; None is the bundled model.
        device: see `recognizer.load`.
        charset: see `recognizer.load`.
        threads: of one worker, for the network.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    formats: str = "txt"
    model: str | None = None
    device: str = "auto"
    charset: Charset | None = None
    threads: int = 1

    def outputs(self, job: Job) -> list[tuple[str, str]]:
        """Path and format of each output of a job."""
        return [(f"{job.target}.{format}", format) for _, format in name_outputs([job.target], self.formats)]

    def fingerprint(self, job: Job) -> str:
        """Tells what decides the result: the file, by size and time of its last change, and how it is read."""
        status = os.stat(job.source)
        model = self.model and [os.path.abspath(self.model), os.stat(self.model).st_mtime_ns]
        characters = self.charset and self.charset.characters
        facts = [os.path.abspath(job.source), status.st_size, status.st_mtime_ns, asdict(self.read), self.formats, model, characters]
        return hashlib.sha256(json.dumps([*facts, __version__]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a job.

    Attributes:
        kind: "started", "page" (one more is read), "done", "failed", or "skipped" (it was done in an earlier run).
        pages: read so far.
        seconds: since it was started.
        message: why it failed.
    """

    kind: str
    job: Job
    pages: int = 0
    seconds: float = 0.0
    message: str = ""


def find_jobs(paths: Iterable[str], out_dir: str) -> list[Job]:
    """List the documents to read.

    Args:
        paths: files; folders, which are searched for PDF files and pictures; and patterns (*, ?, [], ** for folders within folders).
        out_dir: the outputs' folder. A document of a folder keeps its place below it; `a.pdf` becomes `a`, or, where there is also an
            `a.png`, each keeps its suffix.

    Raises:
        InputFileError: a path is not there, or a pattern fits nothing.
        OptionError: two documents would have the same outputs.
    """
    found: dict[str, str] = {}
    for path in paths:
        if os.path.isdir(path):
            files = sorted(str(file) for file in Path(path).rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
            own = os.path.abspath(out_dir) + os.sep
            found |= {file: os.path.relpath(file, path) for file in files if not os.path.abspath(file).startswith(own)}
        elif os.path.exists(path):
            found[path] = os.path.basename(path)
        elif matches := sorted(file for file in glob.glob(path, recursive=True) if os.path.isfile(file)):
            found |= {file: os.path.basename(file) for file in matches}
        else:
            raise InputFileError(f"what is to be read must exist, and nothing is there of the name, or fits the pattern, {path!r}")
    stems = Counter(os.path.splitext(place)[0] for place in found.values())
    places = {file: place if stems[os.path.splitext(place)[0]] > 1 else os.path.splitext(place)[0] for file, place in found.items()}
    for place, count in Counter(places.values()).items():
        if count > 1:
            alike = " and ".join(file for file in places if places[file] == place)
            raise OptionError(f"each document needs a place of its own below {out_dir}, and {alike} have the same; read them in two runs")
    return [Job(file, os.path.join(out_dir, place)) for file, place in places.items()]


class Journal:
    """What a run has done, so that the next goes on from there; use it as a context manager. One run at a time has it.

    In the folder STATE: `journal.jsonl` with a row for each document that was done or failed, written to the disk at once, and for each
    document being read a file with a row a page. A row that was not written to its end does not count.

    Args:
        out_dir: folder of the outputs; made if it is not there.
        reading: how documents are read.

    Raises:
        FileAccessError: it cannot be written, or another run has it.
    """

    def __init__(self, out_dir: str, reading: Reading) -> None:
        self.reading = reading
        self.folder = Path(out_dir) / STATE
        self._records: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> "Journal":
        path = self.folder / "journal.jsonl"
        try:
            (self.folder / "pages").mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.folder / "lock")
            self._records = {record["document"]: record for record in _rows(path)}
            with path.open("ab") as file:
                file.truncate(_sound_length(path))
            self._file = path.open("ab")
        except OSError as error:
            raise FileAccessError(f"the journal in {self.folder} cannot be written: {error.strerror}; name another --out-dir") from error
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self._lock.close()

    def is_done(self, job: Job) -> bool:
        """Whether a job was done as it would be done now, and its outputs are there."""
        record = self._records.get(os.path.abspath(job.source), {})
        if record.get("status") != "done" or not all(os.path.exists(path) for path, _ in self.reading.outputs(job)):
            return False
        with suppress(OSError):
            return bool(record["fingerprint"] == self.reading.fingerprint(job))
        return False

    def pages_file(self, job: Job) -> Path:
        """Where the pages of a job are kept until it is done."""
        return self.folder / "pages" / (hashlib.sha256(os.path.abspath(job.source).encode()).hexdigest()[:32] + ".jsonl")

    def add(self, event: Event) -> None:
        """Note that a job is done or has failed."""
        document = os.path.abspath(event.job.source)
        record = {"document": document, "status": event.kind, "pages": event.pages, "seconds": round(event.seconds, 3)}
        with suppress(OSError):
            record["fingerprint"] = self.reading.fingerprint(event.job)
        if event.message:
            record["message"] = event.message
        self._records[document] = record
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        if event.kind == "done":
            self.pages_file(event.job).unlink(missing_ok=True)


def run(jobs: Iterable[Job], journal: Journal, count: int, timeout: float = 0.0) -> Iterator[Event]:
    """Read documents in several processes.

    Args:
        jobs: what to read; those done by an earlier run are skipped.
        journal: where that is noted, open.
        count: processes, at least 1.
        timeout: seconds after which a page, or the opening of a document, is given up and the document with it; 0 waits for ever.

    Returns:
        What happens to the jobs, as it does. A process that ends unasked is replaced, and its document begun TRIES times in all.
    """
    waiting: deque[tuple[Job, int]] = deque()
    for job in jobs:
        if journal.is_done(job):
            yield Event("skipped", job)
        else:
            waiting.append((job, 1))
    workers = [_Worker(journal.reading) for _ in range(max(1, min(count, len(waiting))))]
    try:
        while waiting or any(worker.job for worker in workers):
            for worker in workers:
                if waiting and not worker.job:
                    job, tries = waiting.popleft()
                    worker.begin(job, tries, journal.pages_file(job))
                    yield Event("started", job)
            for worker, event in _next_events(workers, timeout):
                if event.kind == "lost" and worker.tries < TRIES:
                    waiting.append((event.job, worker.tries + 1))
                elif event.kind == "lost":
                    event = replace(event, kind="failed")
                if event.kind in ("done", "failed"):
                    journal.add(event)
                if event.kind != "page":
                    worker.job = None
                if event.kind != "lost":
                    yield event
    finally:
        for worker in workers:
            worker.end()


def _next_events(workers: Sequence["_Worker"], timeout: float) -> Iterator[tuple["_Worker", Event]]:
    """Wait until something happens to a job, and tell what."""
    busy = {worker.connection: worker for worker in workers if worker.job}
    deadline = min(worker.heard for worker in busy.values()) + timeout - time.monotonic() if timeout else None
    ready = wait(list(busy), deadline if deadline is None else max(0.0, deadline))
    for connection in ready:
        worker = busy[connection]  # type: ignore[index]
        assert worker.job
        seconds = time.monotonic() - worker.started
        try:
            kind, value, pages = worker.connection.recv()
        except (EOFError, OSError):
            worker.restart()
            yield worker, Event("lost", worker.job, worker.pages, seconds, "the process that read it was ended, perhaps for want of memory")
            continue
        worker.heard = time.monotonic()
        if kind == "log":
            logger.log(pages, "%s", value)
        else:
            worker.pages = pages
            yield worker, Event(kind, worker.job, pages, seconds, value)
    for worker in busy.values():
        if timeout and worker.job and time.monotonic() - worker.heard >= timeout:
            worker.restart()
            message = f"page {worker.pages + 1} took longer than {timeout:g} s"
            yield worker, Event("failed", worker.job, worker.pages, time.monotonic() - worker.started, message)


class _Worker:
    """A process that reads one document after another."""

    connection: Connection

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.job: Job | None = None
        self.tries = self.pages = 0
        self.started = self.heard = 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, self._reading), daemon=True)
        with _environment(OPENBLAS_NUM_THREADS=str(self._reading.threads), OMP_NUM_THREADS=str(self._reading.threads)):
            self._process.start()
        other.close()

    def begin(self, job: Job, tries: int, pages_file: Path) -> None:
        """Read a document, for the `tries`th time."""
        self.job = job
        self.tries, self.pages = tries, 0
        self.started = self.heard = time.monotonic()
        with suppress(OSError):  # it has ended: `wait` will say so
            self.connection.send((job, pages_file))

    def restart(self) -> None:
        """End the process and start another."""
        self.end()
        self._start()

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, reading: Reading) -> None:
    """What a worker process does: read the documents it is told of, and tell what happens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: connection.send(("log", record.getMessage(), record.levelno))  # type: ignore[method-assign]
    logging.getLogger("docrec").addHandler(handler)
    reader = Reader(reading)
    while True:
        try:
            job, pages_file = connection.recv()
        except EOFError:
            return
        for message in reader.read(job, pages_file):
            connection.send(message)


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os.kill(os.getpid(), signal.SIGKILL)


class Reader:
    """Reads documents page by page, the model loaded once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._recognizer: Any = None

    def read(self, job: Job, pages_file: Path) -> Iterator[tuple[str, str, int]]:
        """Read a document, pages that `pages_file` holds already excepted, and write its outputs.

        Returns:
            ("page", "", pages so far) after each page, then ("done", "", pages) or ("failed", why, pages).
        """
        count = 0
        try:
            reading = self._reading
            if self._recognizer is None:
                self._recognizer = load(reading.model, reading.device, reading.charset, reading.threads)
            fingerprint = reading.fingerprint(job)
            with open_source(job.source, reading.read) as source:
                indices = source.pages
            count = _keep_sound_pages(pages_file, fingerprint)
            with pages_file.open("ab") as file:
                if not count:
                    _add_row(file, {"fingerprint": fingerprint})
                for index in indices[count:]:  # each by itself, so that its numbers do not depend on those before it
                    (page,) = recognize(job.source, self._recognizer, replace(reading.read, pages=str(index + 1)))
                    _add_row(file, page_to_json(page))
                    count += 1
                    yield "page", "", count
            os.makedirs(os.path.dirname(job.target) or ".", exist_ok=True)
            paths, formats = zip(*reading.outputs(job), strict=True)
            options = WriteOptions(document=job.source, model=self._recognizer.bundle.folder.name, password=reading.read.password)
            write(_pages(pages_file), list(paths) if len(paths) == 1 else job.target, ",".join(formats), options)
        except DocrecError as error:
            yield "failed", str(error), count
        except Exception as error:
            logger.debug("where it happened:", exc_info=True)
            yield "failed", f"unexpected {type(error).__name__}: {error}", count
        else:
            yield "done", "", count


def _add_row(file: BinaryIO, row: dict[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    file.flush()


def _keep_sound_pages(path: Path, fingerprint: str) -> int:
    """Cut a file of pages where it was not written to its end, and empty it if it is of other pages; how many it holds."""
    rows = _rows(path)
    if next(rows, {}).get("fingerprint") != fingerprint:
        path.unlink(missing_ok=True)
        return 0
    length = _sound_length(path)
    with path.open("ab") as file:
        file.truncate(length)
    return sum(1 for _ in rows)


def _pages(path: Path) -> Iterator[Page]:
    rows = _rows(path)
    next(rows)
    return map(json_to_page, rows)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON that were written to their ends."""
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                try:
                    yield json.loads(line)
                except ValueError:  # what a disk holds after a loss of power
                    return


def _sound_length(path: Path) -> int:
    """Bytes of the rows that `_rows` gives."""
    length = 0
    with path.open("rb") as file:
        for line, _ in zip(file, _rows(path), strict=False):
            length += len(line)
    return length


def _locked(path: Path) -> BinaryIO:
    """Open a file that one process at a time may have open so; the system lets it go when that process ends."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once are the user's care there
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise FileAccessError(f"one run at a time may write to {path.parent.parent}, and another does; wait for its end") from error
    return file


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
