from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.search.registry import build
from hpo.spec.space import Continuous, Integer, Space

JOB = """
import json, sys
from hpo.core.history import History
from hpo.core.settings import Goal, Objective
from hpo.core.trial import Trial, TrialStatus
from hpo.search.registry import build
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer, Space

name = sys.argv[1]
objective = Objective("loss", Goal.MINIMIZE)
options = {"min_resource": 1, "max_resource": 9} if name == "hyperband" else {}
space = Space((
    Continuous("rate", 1e-4, 1.0, Scaling.LOGARITHMIC),
    Integer("width", 8, 512, Scaling.LOGARITHMIC),
    Categorical("kind", ("a", "b", "c")),
))
for seed in map(int, sys.argv[2:]):
    strategy = build(name, space=space, seed=seed, objective=objective, max_jobs=20, options=options)
    history = History(objective)
    for number in range(1, 21):
        proposal = strategy.propose(history, number)
        print(json.dumps([dict(proposal.params), proposal.proposed_by]))
        value = proposal.params["rate"] + proposal.params["width"] / 100
        history.record(Trial(number, proposal.params, "", TrialStatus.COMPLETED, value=value))
"""


def proposals(name: str, *seeds: int, hash_seed: int) -> list[Any]:
    """Return what a process of its own proposes, twenty trials for each seed."""
    ran = subprocess.run(
        [sys.executable, "-c", JOB, name, *map(str, seeds)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("name", ["random", "hyperband", "bayesian"])
def test_acceptance_3_same_seed_same_sequence(name: str) -> None:
    both = proposals(name, 5, 6, hash_seed=1)
    first, other = both[:20], both[20:]
    assert len(other) == 20
    assert proposals(name, 5, hash_seed=2) == first
    assert other != first


def test_draws_are_the_same_in_every_version_and_on_every_machine() -> None:
    """Results of a former version stay reproducible: a change of these values breaks that."""
    objective = Objective("loss", Goal.MINIMIZE)
    space = Space((Continuous("x", 0.0, 1.0), Integer("n", 1, 1000)))
    under = build("random", space=space, seed=1, objective=objective, max_jobs=3)
    proposal = under.propose(History(objective), 1)
    assert proposal is not None
    assert proposal.params == {"x": 0.17334740851785746, "n": 86}


@pytest.mark.parametrize("name", ["random", "hyperband"])
@pytest.mark.parametrize("size", [20, 10**9])
def test_acceptance_3_the_sequence_is_the_same_however_many_run_at_once(
    rehearse: Callable[..., Any], name: str, size: int
) -> None:
    space = Space((Integer("n", 1, size),))
    one_by_one = rehearse(name, space, lambda values: values["n"]).run(20)
    together = rehearse(name, space, lambda _: None).run(20, parallel=8)
    assert one_by_one.sequence == together.sequence
