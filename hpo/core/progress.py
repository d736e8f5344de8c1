"""From matches to numbered points, and what a run's log has given so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hpo.core.events import Observed
from hpo.core.settings import Settings
from hpo.core.trial import Match, Point, Progress, RunReport, Trial


def advanced(settings: Settings, trial: Trial, event: Observed) -> tuple[Progress, tuple[Point, ...]]:
    """Take in a trial's new matches; a point's step is its metric's count, or the objective's step metric.

    Of a log whose lines came in another order than they were printed in, the report says what is the latest.
    """
    if not event.matches and not event.report.latest:
        return trial.run.progress, ()
    counts, latest = dict(trial.run.progress.counts), dict(trial.run.progress.latest)
    best, others = trial.run.progress.best, dict(trial.run.progress.others)
    goals = {objective.metric: objective.goal for objective in settings.others}
    points = []
    for match in event.matches:
        counts[match.metric] = counts.get(match.metric, 0) + 1
        latest[match.metric] = match.value
        step = _step(settings, match, counts, latest)
        points.append(Point(trial.number, trial.run.number, match.metric, step, match.value, event.at))
        if match.metric == settings.objective.metric and math.isfinite(match.value):
            goal = settings.objective.goal
            best = match.value if best is None or goal.is_better(match.value, best) else best
        elif match.metric in goals and math.isfinite(match.value):
            known = others.get(match.metric)
            if known is None or goals[match.metric].is_better(match.value, known):
                others[match.metric] = match.value
    latest |= event.report.latest
    return Progress(counts, latest, best, others), tuple(points)


def stand_ins(report: RunReport, progress: Progress, matches: Sequence[Match]) -> tuple[Match, ...]:
    """Return the metrics of an ended run's report that no line of its log gave, as matches of their own."""
    read = progress.counts.keys() | {match.metric for match in matches}
    return tuple(Match(metric, value) for metric, value in report.metrics.items() if metric not in read)


def _step(settings: Settings, match: Match, counts: Mapping[str, int], latest: Mapping[str, float]) -> float:
    named = settings.objective.step
    if named is not None and match.metric == settings.objective.metric:
        step = latest.get(named)
        if step is not None and math.isfinite(step):  # a program may print NaN for that, too
            return step
    return counts[match.metric]
