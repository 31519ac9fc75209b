"""A process that works for another one, and does not outlive it."""

import multiprocessing
import os
import signal
import threading


def begin_worker() -> None:
    """Set up this process as a worker: Ctrl-C is for the process that started it, with which it ends, whatever it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)  # there is no SIGKILL on Windows
