"""Many documents: which they are, who reads them, and the journal from which a run that was stopped goes on."""

import glob
import hashlib
import itertools
import json
import logging
import multiprocessing
import os
import re
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import cv2

from docrec import __version__
from docrec.charset import Charset
from docrec.document import Page
from docrec.errors import DocrecError, FileAccessError, InputFileError, OptionError
from docrec.options import ReadOptions, WriteOptions
from docrec.pipeline import recognize_images
from docrec.recognizer import Recognizer, load
from docrec.source import SUFFIXES, open_source
from docrec.worker import begin_worker
from docrec.writers import name_outputs, write_named
from docrec.writers.json import json_to_page, page_to_json
from docrec.writers.replace import TEMPORARY

logger = logging.getLogger(__name__)

STATE = ".docrec"
"""Folder below that of the outputs in which the journal is kept."""
TRIES = 3
"""How often a document is begun that ends the worker reading it."""
LOOK_SECONDS = 2.0
"""Between two looks at folders that are watched."""


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
        paragraphs: see WriteOptions.
        model: its folder; None is the bundled model.
        device: see `recognizer.load`.
        charset: see `recognizer.load`.
        threads: of one worker.
        log_level: from which on messages of workers are logged here too.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    formats: str = "txt"
    paragraphs: bool = False
    model: str | None = None
    device: str = "auto"
    charset: Charset | None = None
    threads: int = 1
    log_level: int = logging.WARNING

    def outputs(self, job: Job) -> list[tuple[str, str]]:
        """Path and format of each output of a job."""
        return [(f"{job.target}.{format}", format) for _, format in name_outputs([job.target], self.formats)]

    def fingerprint(self, job: Job) -> str:
        """Tells what decides the result: the file, by size and time of its last change, and how it is read."""
        status = os.stat(job.source)
        model = self.model and [os.path.abspath(self.model), os.stat(self.model).st_mtime_ns]
        characters = self.charset and self.charset.characters
        facts = [os.path.abspath(job.source), status.st_size, status.st_mtime_ns, asdict(self.read), self.formats, self.paragraphs]
        return hashlib.sha256(json.dumps([*facts, model, characters, __version__]).encode()).hexdigest()


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


def find_jobs(paths: Iterable[str], out_dir: str, formats: str = "txt") -> list[Job]:
    """List the documents to read.

    Args:
        paths: files; folders, which are searched for PDF files and pictures; and patterns (*, ?, [], ** for folders within folders).
        out_dir: the outputs' folder; not searched itself where it lies in a folder that is. A document keeps its place below the folder, or
            below the folders that a pattern begins with; `a.pdf` becomes `a`, or, where there is also an `a.png`, each keeps its suffix.
        formats: see Reading.

    Raises:
        InputFileError: a path is not there, or a pattern fits nothing.
        OptionError: two documents would have the same outputs, or one would be overwritten by an output.
    """
    found: dict[str, str] = {}
    for path in paths:
        if os.path.isdir(path):
            folder = Path(path)
            own = Path(out_dir).resolve()
            own = own if folder.resolve() in own.parents else own / STATE
            files = [file for file in sorted(folder.rglob("*")) if file.suffix.lower() in SUFFIXES and file.is_file()]
            found |= {str(file): str(file.relative_to(folder)) for file in files if own not in file.resolve().parents}
        elif os.path.exists(path):
            found[path] = os.path.basename(path)
        elif matches := sorted(file for file in glob.glob(path, recursive=True) if os.path.isfile(file)):
            fixed = "".join(itertools.takewhile(lambda part: not glob.has_magic(part), re.split(r"(?<=[/\\])", path)))
            found |= {file: os.path.relpath(file, fixed or ".") for file in matches}
        else:
            raise InputFileError(f"what is to be read must exist, and nothing is there of the name, or fits the pattern, {path!r}")
    stems = Counter(os.path.splitext(place)[0] for place in found.values())
    places = {file: place if stems[os.path.splitext(place)[0]] > 1 else os.path.splitext(place)[0] for file, place in found.items()}
    for place, count in Counter(places.values()).items():
        if count > 1:
            alike = " and ".join(file for file in places if places[file] == place)
            raise OptionError(f"each document needs a place of its own below {out_dir}, and {alike} have the same; name a folder of both")
    jobs = [Job(file, os.path.join(out_dir, place)) for file, place in places.items()]
    sources = {os.path.realpath(job.source) for job in jobs}
    for job in jobs:
        for output, _ in Reading(formats=formats).outputs(job):
            if os.path.realpath(output) in sources:
                raise OptionError(f"an output must not overwrite a document, and {output} is one; name another --out-dir")
    return jobs


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
            self._file = path.open("ab")
            self._file.truncate(_sound_length(path))
        except OSError as error:
            raise FileAccessError(f"the journal in {self.folder} cannot be written: {error.strerror}; name another --out-dir") from error
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self._lock.close()

    def is_done(self, job: Job) -> bool:
        """Whether a job was done as it would be done now, and its outputs are there."""
        record = self._records.get(os.path.abspath(job.source), {})
        is_there = record.get("status") == "done" and all(os.path.exists(path) for path, _ in self.reading.outputs(job))
        return is_there and record["fingerprint"] == self.fingerprint(job) != ""

    def pages_file(self, job: Job) -> Path:
        """Where the pages of a job are kept until it is done."""
        return self.folder / "pages" / (hashlib.sha256(os.path.abspath(job.source).encode()).hexdigest()[:32] + ".jsonl")

    def fingerprint(self, job: Job) -> str:
        """That of a job as it would be done now; "" if its document cannot be looked at."""
        with suppress(OSError):
            return self.reading.fingerprint(job)
        return ""

    def add(self, event: Event, fingerprint: str) -> None:
        """Note that a job, which had this fingerprint when it was begun, is done or has failed."""
        document = os.path.abspath(event.job.source)
        record = {"document": document, "status": event.kind, "pages": event.pages, "seconds": round(event.seconds, 3)}
        record |= {"fingerprint": fingerprint, "message": event.message}
        self._records[document] = record
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        if event.kind == "done":
            self.pages_file(event.job).unlink(missing_ok=True)


class Worker(Protocol):
    """Reads one document after another, apart from this process."""

    def begin(self, job: Job, pages_file: Path) -> None:
        """Let it read a document; it has none to read now."""

    def end(self) -> None:
        """End it, whatever it does."""


class Pool(Protocol):
    """Where workers come from: processes of this machine, or actors of a cluster.

    Attributes:
        count: how many may work at once, at least 1.
    """

    @property
    def count(self) -> int: ...

    def start(self) -> Worker:
        """A new worker, which may not be ready yet."""

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, "Message | None"]]:
        """Wait until workers tell something, for as long as is given; what each tells next, None if it has come to its end."""


Message = tuple[str, str, int] | DocrecError
"""What a worker tells: see `Reader.read`."""


@dataclass
class _Task:
    """A job to do and how far it is; `heard` is None until the worker is ready."""

    job: Job
    tries: int = 0
    pages: int = 0
    fingerprint: str = ""
    started: float = 0.0
    heard: float | None = None

    def event(self, kind: str, message: str = "") -> Event:
        return Event(kind, self.job, self.pages, time.monotonic() - self.started, message)


def run(
    jobs: Iterable[Job], journal: Journal, pool: Pool, timeout: float = 0.0, look: Callable[[], list[Job]] | None = None
) -> Generator[Event, None, None]:
    """Read documents by several workers at once.

    Args:
        jobs: what to read; those done by an earlier run are skipped.
        journal: where that is noted, open.
        pool: of workers. One that ends unasked is replaced, and its document begun TRIES times in all.
        timeout: seconds after which a page, or the opening of a document, is given up and the document with it; 0 waits for ever.
        look: gives more jobs when it is asked, every LOOK_SECONDS; the run then never ends by itself.

    Returns:
        What happens to the jobs, as it does.

    Raises:
        DocrecError: no document can be read, as the model cannot be loaded.
    """
    waiting = deque(map(_Task, jobs))
    _remove_leftovers({os.path.dirname(task.job.target) for task in waiting})
    idle: list[Worker] = []
    busy: dict[Worker, _Task] = {}
    looked = time.monotonic()
    try:
        while True:
            while waiting and len(busy) < pool.count and all(task.job != waiting[0].job for task in busy.values()):
                task = waiting.popleft()
                if journal.is_done(task.job):
                    yield Event("skipped", task.job)
                    continue
                task.heard = time.monotonic() if idle else None
                worker = idle.pop() if idle else pool.start()
                task.tries, task.pages, task.started = task.tries + 1, 0, time.monotonic()
                task.fingerprint = journal.fingerprint(task.job)
                busy[worker] = task
                worker.begin(task.job, journal.pages_file(task.job))
                yield task.event("started")
            if not waiting and not look:
                while idle:  # which leaves its place in a cluster to one that waits for it
                    idle.pop().end()
                if not busy:
                    return
            for worker, event in _events(pool, busy, timeout, LOOK_SECONDS if look else None):
                if event.kind == "page":
                    yield event
                    continue
                task = busy.pop(worker)
                if event.kind == "lost":
                    worker.end()
                    if task.tries < TRIES:
                        waiting.append(task)
                        continue
                    event = replace(event, kind="failed")
                elif event.kind == "late":
                    worker.end()
                    event = replace(event, kind="failed")
                else:
                    idle.append(worker)
                journal.add(event, task.fingerprint)
                yield event
            if look and time.monotonic() - looked >= LOOK_SECONDS:
                waiting.extend(map(_Task, look()))
                looked = time.monotonic()
    finally:
        for worker in (*idle, *busy):
            worker.end()


def _events(pool: Pool, busy: Mapping[Worker, _Task], timeout: float, longest: float | None) -> Iterator[tuple[Worker, Event]]:
    """Wait until something happens to a job, or for so many seconds, and tell what: an Event, or one of kind "lost" or "late"."""
    heard = [task.heard for task in busy.values() if timeout and task.heard is not None]
    limits = [limit for limit in (longest, min(heard) + timeout - time.monotonic() if heard else None) if limit is not None]
    for worker, message in pool.wait(list(busy), max(0.0, min(limits)) if limits else None):
        task = busy[worker]
        task.heard = time.monotonic()
        if isinstance(message, DocrecError):
            raise message
        if message is None:
            yield worker, task.event("lost", "what read it was ended from outside, perhaps for want of memory")
        elif message[0] == "log":
            logger.log(message[2], "%s", message[1])
        elif message[0] != "ready":
            task.pages = message[2]
            yield worker, task.event(message[0], message[1])
    for worker, task in list(busy.items()):
        if timeout and task.heard is not None and time.monotonic() - task.heard >= timeout:
            yield worker, task.event("late", f"page {task.pages + 1} took longer than {timeout:g} s")


def _remove_leftovers(folders: Iterable[str]) -> None:
    """Remove what writing leaves in the folders of outputs when it is killed."""
    for folder in folders:
        for path in Path(folder).glob(f"{TEMPORARY[0]}*{TEMPORARY[1]}"):
            path.unlink(missing_ok=True)


class Watch:
    """Finds documents that are new or have changed, and do not grow any more; called again and again, it gives each once.

    Args:
        find: all documents that are there, see `find_jobs`.
    """

    def __init__(self, find: Callable[[], list[Job]]) -> None:
        self._find = find
        self._seen: dict[Job, tuple[int, int]] = {}
        self._given: dict[Job, tuple[int, int]] = {}

    def __call__(self) -> list[Job]:
        """The jobs whose documents are as they were when last looked at, and were not given as they are now."""
        before, self._seen = self._seen, {}
        try:
            found = self._find()
        except DocrecError as error:
            logger.warning("%s", error)
            return []
        for job in found:
            with suppress(OSError):
                status = os.stat(job.source)
                self._seen[job] = status.st_size, status.st_mtime_ns
        jobs = [job for job, state in self._seen.items() if before.get(job) == state != self._given.get(job)]
        self._given |= {job: self._seen[job] for job in jobs}
        return jobs


class Processes:
    """Worker processes of this machine: a Pool."""

    def __init__(self, reading: Reading, count: int) -> None:
        self.count = max(1, count)
        self._reading = reading

    def start(self) -> "Process":
        """A new process."""
        return Process(self._reading)

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, Message | None]]:
        """See `Pool.wait`."""
        by_connection = {worker.connection: worker for worker in workers if isinstance(worker, Process)}
        return [(by_connection[ready], by_connection[ready].message()) for ready in wait(by_connection, seconds)]  # type: ignore[index]


class Process:
    """A worker process: a Worker."""

    def __init__(self, reading: Reading) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, reading), daemon=True)
        with _environment(OPENBLAS_NUM_THREADS=str(reading.threads), OMP_NUM_THREADS=str(reading.threads)), _without_interrupts():
            self._process.start()
        other.close()

    def begin(self, job: Job, pages_file: Path) -> None:
        """See `Worker.begin`."""
        with suppress(OSError):  # it has ended: `message` will say so
            self.connection.send((job, pages_file))

    def message(self) -> Message | None:
        """What it has told, None if it has ended."""
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            return None
        return message

    def end(self) -> None:
        """See `Worker.end`."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, reading: Reading) -> None:
    """What a worker process does: read the documents it is told of, and tell what happens."""
    begin_worker()
    reader = Reader(reading)
    while True:
        try:
            job, pages_file = connection.recv()
        except EOFError:
            return
        for message in reader.read(job, pages_file):
            connection.send(message)


class Reader:
    """Reads documents page by page, the model loaded once."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._recognizer: Recognizer | None = None

    def read(self, job: Job, pages_file: Path) -> Iterator[Message]:
        """Read a document, pages that `pages_file` holds already excepted, and write its outputs.

        Returns:
            ("ready", "", 0), ("page", "", pages so far) after each page, then ("done", "", pages) or ("failed", why, pages); between them
            ("log", message, its level). The error alone if the model cannot be loaded.
        """
        with _logged(self._reading.log_level) as log:
            try:
                self._recognizer = self._recognizer or self._load()
            except DocrecError as error:
                yield error
                return
            yield "ready", "", 0
            count = 0
            try:
                for count in self._read_pages(job, pages_file, self._recognizer):
                    yield from _taken(log)
                    yield "page", "", count
                self._write(job, pages_file, self._recognizer)
                end = "done", "", count
            except DocrecError as error:
                end = "failed", str(error), count
            except Exception as error:
                logger.debug("where it happened:", exc_info=True)
                end = "failed", f"unexpected {type(error).__name__}: {error}", count
            yield from _taken(log)
            yield end

    def _load(self) -> Recognizer:
        cv2.setNumThreads(self._reading.threads)
        return load(self._reading.model, self._reading.device, self._reading.charset, self._reading.threads)

    def _read_pages(self, job: Job, pages_file: Path, recognizer: Recognizer) -> Iterator[int]:
        """Add what is not read yet to the file of pages; how many it holds, after each."""
        options = self._reading.read
        with open_source(job.source, options) as source:
            fingerprint = self._reading.fingerprint(job)
            count, damaged = _keep_sound_pages(pages_file, fingerprint)
            with pages_file.open("ab") as file:
                if not file.tell():
                    _add_row(file, {"fingerprint": fingerprint})
                if count:
                    yield count
                for image in source.after(count, damaged):  # each by itself, so that its numbers do not depend on those before it
                    (page,) = recognize_images([image], recognizer, options)
                    _add_row(file, page_to_json(page) | ({"damaged": True} if page.index in source.damaged else {}))
                    count += 1
                    yield count

    def _write(self, job: Job, pages_file: Path, recognizer: Recognizer) -> None:
        os.makedirs(os.path.dirname(job.target) or ".", exist_ok=True)
        options = WriteOptions(
            document=job.source,
            model=recognizer.bundle.folder.name,
            password=self._reading.read.password,
            paragraphs=self._reading.paragraphs,
        )
        write_named(_pages(pages_file), self._reading.outputs(job), options)


@contextmanager
def _logged(level: int) -> Iterator[list[logging.LogRecord]]:
    """What docrec logs meanwhile."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(level)
    handler.emit = records.append  # type: ignore[method-assign, assignment]
    log = logging.getLogger("docrec")
    before = log.level
    log.setLevel(level)
    log.addHandler(handler)
    try:
        yield records
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def _taken(records: list[logging.LogRecord]) -> Iterator[Message]:
    while records:
        record = records.pop(0)
        yield "log", logging.Formatter().format(record), record.levelno


def _add_row(file: BinaryIO, row: dict[str, Any]) -> None:
    file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    file.flush()


def _keep_sound_pages(path: Path, fingerprint: str) -> tuple[int, list[int]]:
    """Cut a file of pages where it was not written to its end, or empty it if it is of other pages.

    Returns:
        How many it holds, and the indices of those that could not be read.
    """
    rows = _rows(path)
    same = next(rows, {}).get("fingerprint") == fingerprint
    pages = [(row["page"] - 1, "damaged" in row) for row in rows] if same else []
    with path.open("ab") as file:
        file.truncate(_sound_length(path) if same else 0)
    return len(pages), [index for index, damaged in pages if damaged]


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
def _without_interrupts() -> Iterator[None]:
    """Let processes start that Ctrl-C does not reach, from their first instruction on; for this one it waits that long."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
