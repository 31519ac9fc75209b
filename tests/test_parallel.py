import os
import signal
from functools import partial
from itertools import count, islice

import pytest

from docrec.errors import TrainingDataError, WorkerError
from docrec.training.parallel import spread


def doubler(unlucky=-1):
    def double(task):
        if task == unlucky:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * task, os.getpid()

    return double


def unmakeable():
    raise TrainingDataError("no font")


def test_results_come_in_order_from_several_processes_as_far_as_they_are_wanted():
    results = spread(doubler, count(), 2)
    numbers, processes = zip(*islice(results, 40), strict=True)
    results.close()
    assert numbers == tuple(range(0, 80, 2))
    assert os.getpid() not in processes


def test_a_worker_that_is_killed_is_an_error_and_no_hang():
    with pytest.raises(WorkerError, match="fewer --jobs"):
        list(spread(partial(doubler, 20), range(100), 2))


def test_what_hinders_a_worker_from_beginning_is_told():
    with pytest.raises(TrainingDataError, match="no font"):
        list(spread(unmakeable, range(3), 1))
