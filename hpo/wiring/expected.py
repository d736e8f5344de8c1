"""What the model expects of a job's trials, worked out from its store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hpo.core.history import History
from hpo.core.prior import NO_PRIOR, Known
from hpo.core.trial import Point, Trial, TrialStatus
from hpo.report.best import best_trials
from hpo.report.data import JobView
from hpo.report.expected import ExpectedData, expected_data
from hpo.spec.space import Space
from hpo.store.home import DATABASE, SPEC
from hpo.store.sqlite import Store

ENOUGH = 8
"""Results of a space, its parents' included, from which on luck can be told from merit."""


def expected_of(job: JobView, *, algorithm: str | None = None) -> ExpectedData | None:
    """Return the trial that is expected to be better than the best observed, of one algorithm or of all.

    None where no other one is, by enough, and where the model cannot tell: of several objectives, of fewer
    than 8 results, of a best trial outside of ranges that were narrowed. Raises HpoError where the job's spec
    cannot be read.
    """
    observed = best_trials(job, algorithm=algorithm)
    names = [algorithm] if algorithm is not None else job.record.settings.algorithms or [None]
    parts = {name: trials for name in names if (trials := _enough(job, name))}
    if not observed or not parts:
        return None
    return _expected(job, observed[0], parts, algorithm)


def _enough(job: JobView, algorithm: str | None) -> list[Trial]:
    """Return the trials of an algorithm, or all; none where there are too few results."""
    trials = [trial for trial in job.trials if algorithm in {None, trial.algorithm}]
    prior = job.priors.get(algorithm, NO_PRIOR)
    inherited = len(prior.trials) if prior.is_evidence else 0
    return trials if sum(trial.is_result for trial in trials) + inherited >= ENOUGH else []


def _expected(
    job: JobView, observed: Known, parts: dict[str | None, list[Trial]], algorithm: str | None
) -> ExpectedData | None:
    from hpo.search.bayesian.expected import beliefs, expected
    from hpo.search.strategy import SearchContext

    settings, spaces = job.record.settings, _spaces(job.folder)
    held = []
    for name, trials in parts.items():
        prior = job.priors.get(name, NO_PRIOR)
        context = SearchContext(spaces[name], job.record.seed, settings.objective, settings.max_jobs, prior)
        history = History.of(settings.objective, trials, _points(job, trials))
        if (found := beliefs(context, history)) is not None:
            held.append(found)
    better = expected(held, observed, settings.objective.goal)
    return None if better is None else expected_data(job, better, algorithm=algorithm)


def _spaces(folder: Path) -> dict[str | None, Space]:
    """Return the spaces that a job's trials are of: the algorithms', or the job's own as None."""
    from hpo.search.registry import names
    from hpo.spec.document import Document
    from hpo.spec.load import spec_of

    document = Document.read([folder / SPEC])
    spec = spec_of(document, names)
    document.raise_problems()
    if spec is None:
        raise AssertionError("what is not valid has problems")
    alone: dict[str | None, Space] = {name: spec.alone(name).space() for name in spec.algorithms}
    return alone or {None: spec.space()}


def _points(job: JobView, trials: Sequence[Trial]) -> list[Point]:
    """Return the curves' points, by which trials count that were stopped early."""
    if not any(trial.status is TrialStatus.PRUNED for trial in trials):
        return []
    with closing(Store.look(job.folder / DATABASE)) as store:
        return store.points(metric=job.record.settings.objective.metric)
