"""Many documents on a Ray cluster of two nodes on this machine."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymupdf
import pytest

from docrec.batch import Journal, Processes, Reading, find_jobs, run
from docrec.cluster import Cluster
from docrec.errors import OptionError
from docrec.options import ReadOptions

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # of Ray, which leaves files and sockets open

ray = pytest.importorskip("ray")


@pytest.fixture
def two_nodes() -> Iterator[Any]:
    """A cluster of a node without processors, which goes on, and two with one each."""
    from ray.cluster_utils import Cluster as Nodes

    nodes = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def test_a_node_that_is_lost_loses_nothing(two_nodes: Any, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(6):
        with pymupdf.open() as document:
            for page in range(3):
                document.new_page(width=300, height=150).insert_text((40, 60), f"山高月小{number}{page}", fontname="china-s")
            document.save(tmp_path / "in" / f"{number}.pdf")
    reading = Reading(ReadOptions(min_confidence=0, mode="force"), "txt,json", model=str(tiny_model), device="cpu")
    jobs = find_jobs([str(tmp_path / "in")], str(tmp_path / "out"))
    working, kinds = set(), []
    with Cluster(two_nodes.address, reading) as pool, Journal(str(tmp_path / "out"), reading) as journal:
        assert pool.count == 2
        for event in run(jobs, journal, pool):
            kinds.append(event.kind)
            if event.kind == "page":
                working.add(event.job)
            if len(working) == 2 and len(two_nodes.worker_nodes) == 2:
                two_nodes.remove_node(next(iter(two_nodes.worker_nodes)), allow_graceful=False)
    assert (kinds.count("done"), kinds.count("failed")) == (6, 0)
    assert kinds.count("started") == 7, "one was begun again"

    straight = [replace(job, target=job.target.replace("out", "straight")) for job in jobs]
    with Journal(str(tmp_path / "straight"), reading) as journal:
        for _ in run(straight, journal, Processes(reading, 1)):
            pass
    for job, alone in zip(jobs, straight, strict=True):
        for (output, _), (expected, _) in zip(reading.outputs(job), reading.outputs(alone), strict=True):
            assert Path(output).read_bytes() == Path(expected).read_bytes()
    assert os.listdir(tmp_path / "out" / ".docrec" / "pages") == []


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense"])
def test_a_cluster_that_is_not_there_is_told(address: str) -> None:
    with pytest.raises(OptionError, match=address), Cluster(address, Reading()):
        pass
