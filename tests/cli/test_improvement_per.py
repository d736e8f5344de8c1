"""Improvement per second, from the command line, with programs that take their time."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from hpo.core.history import History
from hpo.core.trial import Run, Trial
from hpo.spec.space import Values
from hpo.store.home import DATABASE, SPEC
from hpo.store.sqlite import Store
from hpo.wiring.prepared import prepare
from tests.command_line import Hpo

PROGRAM = """
[ "$4" = short ] || sleep 1
awk -v x="$2" 'BEGIN { print "loss=" (x - 0.3) ^ 2 }'
"""
"""Both kinds are as good."""

SPEC_OF: dict[str, Any] = {
    "parameters": {
        "x": {"type": "continuous", "min": 0.0, "max": 1.0},
        "kind": {"type": "categorical", "values": ["short", "long"]},
    },
    "strategy": {"name": "bayesian", "improvement_per": "second"},
    "limits": {"max_jobs": 16},
}


@pytest.fixture(scope="module")
def job(shared_hpo: Hpo) -> Hpo:
    """The command line with one job that ended, and went on."""
    shared_hpo.job(PROGRAM, **SPEC_OF)
    shared_hpo("run", "spec.yaml", "--set", "limits.max_jobs=12")
    shared_hpo("resume", "job", "--set", "limits.max_jobs=16")
    return shared_hpo


def test_the_short_trials_are_preferred_and_it_is_said_why(job: Hpo) -> None:
    trials = job("trials", "job", "--json").json
    assert len(trials) == 16
    words = ", improvement per second (0 pending, 0 failed)"
    assert trials[15]["proposed_by"] == f"model of 15 trials{words}"
    assert f"chosen by model of 15 trials{words}" in job("why", "job", "16").out
    chosen = [trial["parameters"]["kind"] for trial in trials if words in trial["proposed_by"]]
    assert len(chosen) == 10
    assert chosen.count("short") > chosen.count("long")


def test_what_is_stored_proposes_the_same_again(job: Hpo) -> None:
    """The durations of real processes are part of it: without them something else would be proposed."""
    [database] = job.home.rglob(DATABASE)
    with closing(Store.look(database)) as store:
        record, trials = store.record(), list(store.trials())
    prepared = prepare([database.with_name(SPEC)], base=job.folder, check_launch=False)

    def proposed(earlier: list[Trial]) -> Values:
        history = History.of(record.settings.objective, earlier)
        proposal = prepared.strategy(record.seed).propose(history, len(earlier) + 1)
        assert proposal is not None
        return proposal.params

    untimed = [replace(trial, runs=(Run(1),)) for trial in trials]
    for place in range(8, 16):
        assert proposed(trials[:place]) == trials[place].params
    assert any(proposed(untimed[:place]) != trials[place].params for place in range(8, 16))


def test_the_plan_says_what_is_looked_for(hpo: Hpo) -> None:
    hpo.job(PROGRAM, **SPEC_OF)
    words = "improvement per second: of equally promising trials the shorter one"
    assert f"model     {words}\n" in hpo("plan", "spec.yaml").out
    assert hpo("plan", "spec.yaml", "--json").json["model"] == words
    plain = hpo("plan", "spec.yaml", "--set", "strategy=bayesian", "--json").json
    assert plain["model"] is None


@pytest.mark.parametrize(
    ("strategy", "problem"),
    [
        ({"name": "random", "improvement_per": "second"}, "it belongs to `name: bayesian`"),
        ({"name": "bayesian", "improvement_per": "minute"}, "it must be trial or second"),
    ],
)
def test_what_makes_no_sense_is_refused(hpo: Hpo, strategy: dict[str, str], problem: str) -> None:
    hpo.job(PROGRAM, **{**SPEC_OF, "strategy": strategy})
    assert problem in hpo.refused("plan", "spec.yaml")
