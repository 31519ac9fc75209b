"""Worker processes leave Ctrl-C to the process that started them, and end with it however it ends."""

import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection

import pytest

from docrec.worker import begin_worker

SPAWN = multiprocessing.get_context("spawn")
SECONDS = 20  # a process takes to start, at most


def start_worker(told: Connection) -> None:
    """Be the process that a worker works for."""
    worker = SPAWN.Process(target=work, args=(told,))
    worker.start()
    told.close()
    worker.join()


def work(told: Connection) -> None:
    begin_worker()
    os.kill(os.getpid(), signal.SIGINT)
    told.send("Ctrl-C is not for it")
    time.sleep(10 * SECONDS)


def test_a_worker_lives_through_ctrl_c_and_ends_with_its_parent() -> None:
    hears, told = SPAWN.Pipe(duplex=False)
    parent = SPAWN.Process(target=start_worker, args=(told,))
    parent.start()
    told.close()
    assert hears.poll(SECONDS)
    assert hears.recv() == "Ctrl-C is not for it"
    assert not hears.poll(0.1)
    parent.kill()
    parent.join()
    assert hears.poll(SECONDS)
    with pytest.raises(EOFError):  # there is nobody left who could tell
        hears.recv()
