"""Many documents on a Ray cluster: workers that are its actors, one for each processor or GPU.

The nodes have docrec installed as this machine has, and see documents and outputs at the same paths: on a file system that they share.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docrec.batch import Job, Message, Reader, Reading, Worker
from docrec.errors import MissingDependencyError, OptionError

CONNECTING = 10.0  # seconds to wait for a cluster to answer


class Cluster:
    """The actors of a Ray cluster: a Pool. Use it as a context manager, which leaves the cluster as it was.

    Args:
        address: HOST:PORT of the cluster, or "auto" for the one that Ray finds.
        reading: how documents are read.

    Raises:
        MissingDependencyError: Ray is not installed.
        OptionError: there is no cluster at that address.
    """

    def __init__(self, address: str, reading: Reading) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingDependencyError('--ray needs Ray: pip install "docrec[ray]", on all nodes') from error
        self._ray = ray
        self._address = address
        self._reading = reading

    def __enter__(self) -> "Cluster":
        try:
            if self._address != "auto":  # Ray itself would try for minutes
                host, _, port = self._address.rpartition(":")
                socket.create_connection((host, int(port)), CONNECTING).close()
            self._ray.init(self._address, log_to_driver=False, configure_logging=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise OptionError(f"--ray needs a cluster that runs, and there is none at {self._address}: {error}") from error
        has_gpus = self._reading.device != "cpu" and self._ray.cluster_resources().get("GPU", 0) > 0
        self._unit = "GPU" if has_gpus else "CPU"
        environment = {"env_vars": {"OMP_NUM_THREADS": str(self._reading.threads), "OPENBLAS_NUM_THREADS": str(self._reading.threads)}}
        options = {"num_cpus": self._reading.threads, "num_gpus": int(has_gpus), "runtime_env": environment}
        self._actor = self._ray.remote(**options)(_Reads)
        return self

    def __exit__(self, *error: object) -> None:
        self._ray.shutdown()

    @property
    def count(self) -> int:
        """The processors, or GPUs, that the cluster has now."""
        return max(1, int(self._ray.cluster_resources().get(self._unit, 0)))

    def start(self) -> "Actor":
        """A new actor, which may have to wait for its place."""
        return Actor(self._ray, self._actor.remote(os.getcwd(), self._reading))

    def wait(self, workers: Sequence[Worker], seconds: float | None) -> list[tuple[Worker, Message | None]]:
        """See `Pool.wait`."""
        by_messages = {worker.messages: worker for worker in workers if isinstance(worker, Actor)}
        ready, _ = self._ray.wait(list(by_messages), num_returns=1, timeout=seconds)
        return [(by_messages[messages], by_messages[messages].message()) for messages in ready]


class Actor:
    """An actor of a Ray cluster: a Worker."""

    def __init__(self, ray: Any, handle: Any) -> None:
        self._ray = ray
        self._handle = handle
        self.messages: Any = None

    def begin(self, job: Job, pages_file: Path) -> None:
        """See `Worker.begin`."""
        self.messages = self._handle.read.remote(job, pages_file)

    def message(self) -> Message | None:
        """What it has told, None if it, or its node, has ended."""
        try:
            message: Message = self._ray.get(next(self.messages))
        except (self._ray.exceptions.RayError, StopIteration):
            return None
        return message

    def end(self) -> None:
        """See `Worker.end`."""
        self._ray.kill(self._handle)


class _Reads:
    """What an actor does; paths are as they are where the run was started."""

    def __init__(self, folder: str, reading: Reading) -> None:
        os.chdir(folder)
        self._reader = Reader(reading)

    def read(self, job: Job, pages_file: Path) -> Iterator[Message]:
        yield from self._reader.read(job, pages_file)
