"""A real hpo under SIGKILL at random moments: after resume every trial ran exactly once."""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable

import pytest

from tests.command_line import Hpo

TRIALS = 9
KILLS = 3

SPEC = f"""
name: crash
strategy: random
objective: {{metric: loss, goal: minimize}}
metrics: {{loss: 'loss=(\\S+)'}}
parameters: {{x: {{type: continuous, min: 0, max: 1}}}}
limits: {{max_jobs: {TRIALS}, max_parallel_jobs: 3}}
launcher: {{command: [sh, train.sh]}}
"""

PROGRAM = """
echo "$HPO_TRIAL $HPO_RUN" >> started
for step in 1 2 3; do echo "loss=$step.$HPO_TRIAL"; sleep 0.05; done
"""


def run_under_fire(hpo: Hpo, rng: random.Random, seed: int) -> None:
    """Run the job to its end, after killing hpo several times."""
    command = ["run", "spec.yaml", "--or-resume", "--set", f"seed={seed}"]
    for _ in range(KILLS):
        process = hpo.start(*command)
        try:
            process.wait(timeout=rng.uniform(0.1, 2.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.wait()
    hpo(*command)


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(s, marks=pytest.mark.slow) for s in range(4, 54))]
)
def test_acceptance_15_nothing_is_lost_and_nothing_runs_twice(
    hpo: Hpo, seed: int, eventually: Callable[[Callable[[], object]], None]
) -> None:
    hpo.write("spec.yaml", SPEC)
    hpo.write("train.sh", PROGRAM)
    run_under_fire(hpo, random.Random(seed), seed)
    started = Counter((hpo.folder / "started").read_text().splitlines())
    assert started == {f"{number} 1": 1 for number in range(1, TRIALS + 1)}
    status = hpo("status", "crash", "--json").json
    assert status["status"] == "completed"
    assert status["counts"] == {"completed": TRIALS, "running": 0, "failed": 0, "pruned": 0, "cancelled": 0}
    trials = hpo("trials", "crash", "--json").json
    assert [trial["value"] for trial in trials] == [float(f"3.{n}") for n in range(1, TRIALS + 1)]
    eventually(lambda: not hpo.processes())


def test_acceptance_3_the_proposals_are_those_of_an_uninterrupted_run(hpo: Hpo) -> None:
    hpo.write(
        "spec.yaml",
        SPEC.replace("strategy: random", "strategy: bayesian").replace(", max_parallel_jobs: 3", ""),
    )
    hpo.write("train.sh", PROGRAM)
    run_under_fire(hpo, random.Random(5), 5)
    hpo("run", "spec.yaml", "--set", "seed=5", "--name", "quiet")
    values = [[trial["parameters"] for trial in hpo("trials", n, "--json").json] for n in ("crash", "quiet")]
    assert values[0] == values[1]
