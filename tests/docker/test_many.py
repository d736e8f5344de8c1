"""Many containers at once: no line is lost, and none comes twice."""

from __future__ import annotations

import pytest

from tests.command_line import Hpo
from tests.docker.test_faults import containers, launcher

pytestmark = pytest.mark.docker

CONTAINERS, LINES = 32, 1000


def test_32_containers_of_1000_lines_each_are_followed_without_a_lost_line(hpo: Hpo) -> None:
    program = (
        f"import os, sys\nfor n in range({LINES}):\n"
        "  print(f'line {n} loss={n}.{os.environ[\"HPO_TRIAL\"]}', file=(sys.stdout, sys.stderr)[n % 2])"
    )
    hpo.job("", launcher=launcher(hpo, command=["python3", "/shared/train.py"]))
    hpo.write("train.py", program)
    hpo(
        *("run", "spec.yaml", "--set", f"limits.max_jobs={CONTAINERS}"),
        *("--set", f"limits.max_parallel_jobs={CONTAINERS}"),
    )
    trials = hpo("trials", "job", "--json").json
    assert [trial["status"] for trial in trials] == ["completed"] * CONTAINERS
    for trial in trials:
        log = hpo.text(f"state/jobs/job/trials/{trial['trial']:04d}/run-1/log").splitlines()
        for which in (0, 1):  # of either stream every line, in its order
            own = [line for line in log if int(line.split()[1]) % 2 == which]
            assert own == [f"line {n} loss={n}.{trial['trial']}" for n in range(which, LINES, 2)]
    assert not containers(hpo)
