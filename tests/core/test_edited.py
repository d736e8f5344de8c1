"""Edits among events in any order: new limits hold at once, and the job still ends."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from hpo.core.apply import apply
from hpo.core.events import Edited, Proposed
from hpo.core.job import EndReason, Job
from hpo.core.plan import plan
from hpo.core.settings import Goal, Objective, Settings
from hpo.core.trial import Trial, TrialStatus
from tests.core.test_machine import World


def drawn(rng: random.Random, job: Job) -> Settings:
    """Return other limits, up or down."""
    return replace(
        job.settings,
        max_jobs=rng.randint(1, 12),
        max_parallel_jobs=rng.randint(1, 5),
        target=rng.choice([None, None, 0.9]),
        not_improving_for=rng.choice([None, None, 4]),
    )


@pytest.mark.parametrize("seed", range(150))
def test_a_job_that_is_edited_keeps_to_its_newest_limits_and_ends(seed: int) -> None:
    rng = random.Random(seed)
    job = Job(Settings("j", Objective("f1", Goal.MAXIMIZE), 6, 2))
    world, trials, edits = World(rng, configurations=9), dict[int, Trial](), 0
    for _ in range(3000):
        if job.is_done:
            break
        effects = plan(job, world.now)
        assert effects, "a job that is not done always has something under way"
        event = world.answer(job, rng.choice(effects))
        assert event is not None
        before = job
        if rng.random() < 0.1 and edits < 20:
            edits += 1
            deadline = rng.choice([None, None, world.now + 5.0])
            edited = Edited(drawn(rng, job), deadline, "limits", world.now)
            change = apply(job, edited)
            trials |= {trial.number: trial for trial in change.trials}
            job = change.job
            assert job.is_done or (job.settings, job.deadline) == (edited.settings, deadline)
            assert job.proposed == before.proposed, "nothing is lost of what was begun"
        change = apply(job, event)
        if isinstance(event, Proposed) and change.trials:
            assert len(job.open) < job.settings.max_parallel_jobs
            assert job.proposed < job.settings.max_jobs
        trials |= {trial.number: trial for trial in change.trials}
        job = change.job
    assert job.is_done
    assert job.ending is not None
    assert len(trials) == job.proposed
    assert all(trial.status.is_final for trial in trials.values())
    best = [trial.value or 0.0 for trial in trials.values() if trial.status is TrialStatus.COMPLETED]
    if job.ending.reason is EndReason.MAX_JOBS:
        assert job.proposed >= job.settings.max_jobs
    if job.ending.reason is EndReason.TARGET:
        assert max(best) >= 0.9


def test_an_ended_job_is_not_edited_any_more() -> None:
    job = Job(Settings("j", Objective("f1", Goal.MAXIMIZE), 1))
    lowered = apply(job, Edited(replace(job.settings, max_jobs=5), None, "limits", 1.0)).job
    assert lowered.settings.max_jobs == 5
    done = apply(job, Edited(job.settings, 0.5, "limits", 1.0)).job
    assert done.is_done
    assert apply(done, Edited(lowered.settings, None, "limits", 2.0)).job == done
