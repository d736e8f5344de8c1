"""What would run, and one run by itself, before a job is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hpo.core.conclude import finite, value_of
from hpo.core.events import Observed
from hpo.core.history import History
from hpo.core.progress import advanced
from hpo.core.trial import Launch, RunReport, RunState, Trial
from hpo.metrics.scan import clean, compile_metrics, count_lines
from hpo.scheduler import rehearsal
from hpo.wiring.prepared import Prepared


def first_trials(prepared: Prepared, count: int) -> list[Trial]:
    """Return the first trials as the strategy proposes them while none has ended yet, or examples of them."""
    settings = prepared.settings(prepared.spec.name)
    strategy = prepared.strategy(prepared.spec.seed or 0)
    strategy.prepare()
    history = History(settings.objective)
    for number in range(1, count + 1):
        proposal = strategy.propose(history, number)
        if proposal is None:
            break
        history.record(Trial(number, proposal.params, proposal.proposed_by))
    return list(history.trials.values())


def are_examples(prepared: Prepared) -> bool:
    """Tell whether the job will draw a seed of its own, so that its values cannot be known before."""
    return prepared.spec.seed is None and prepared.spec.strategy.name != "grid"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What a try gave."""

    report: RunReport
    lines: int
    counts: Mapping[str, int]  # matches of each metric
    metrics: Mapping[str, float | None]  # the last value of each; None for NaN and infinity
    value: float | None  # of the objective, where a trial like this would complete
    advice: str


async def rehearse(prepared: Prepared, folder: Path, show: Callable[[bytes], None]) -> Rehearsed:
    """Run one trial with mid-range values in a folder of its own; its log goes to `show` as it grows."""
    settings = prepared.settings(prepared.spec.name)
    scanner = compile_metrics(prepared.spec.metrics)
    log = bytearray()
    trial = Trial(1, prepared.space.middle(), "middle of the space")
    launch = Launch(settings.job, trial.number, trial.run.number, trial.params)

    def take(data: bytes) -> None:
        log.extend(data)
        show(data)

    report = await rehearsal.rehearse(prepared.launcher(settings.job, folder), launch, take)
    scan = scanner.scan(bytes(log))
    seen = Observed(1, 1, report, scan.matches, since="", cursor="", at=0.0)
    progress, _ = advanced(settings, trial, seen)
    value = finite(value_of(settings, replace(trial.run, progress=progress)))
    succeeded = report.state is RunState.SUCCEEDED
    return Rehearsed(
        report=report,
        lines=count_lines(clean(bytes(log))),
        counts=progress.counts,
        metrics={name: finite(latest) for name, latest in progress.latest.items()},
        value=value if succeeded else None,
        advice=report.detail if not succeeded else "" if value is not None else prepared.advise(bytes(log)),
    )
