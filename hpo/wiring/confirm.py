"""The follow-up job that runs the best trials of another one again, each with several seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hpo.core.trial import Trial
from hpo.errors import HpoError, UsageError
from hpo.report.best import ranked
from hpo.report.data import JobView
from hpo.report.front import front_trials
from hpo.spec.algorithms import OWN, SECTION
from hpo.spec.environment import escape
from hpo.spec.nodes import Plain, plain
from hpo.spec.reader import Unreadable, read_text
from hpo.spec.repeats import SEED_NAME
from hpo.spec.space import Scalar, Space, identity
from hpo.store.home import DATABASE, SPEC
from hpo.store.sqlite import Store
from hpo.wiring.prepared import Prepared, prepare

SUFFIX = "-confirm"
LONGEST = 32
"""Characters of a job's name."""

_DROPPED = ("constraints", "require", "stop_when", "early_stopping", "warm_start", "repeats", "retry")
"""Sections that say how a search goes, which this is not; `retry` comes back as it is."""

_KEPT_LIMITS = ("max_parallel_jobs", "max_job_runtime", "max_cost")


def follow_up_name(name: str) -> str:
    """Return what a job's follow-up is called."""
    return f"{name[: LONGEST - len(SUFFIX)].rstrip('-')}{SUFFIX}"


def winners(job: JobView, top: int) -> list[Trial]:
    """Return the best trials, none with the values of another. Raises HpoError where there is none.

    Of several objectives they are as many of the Pareto front, from end to end.
    """
    settings = job.record.settings
    if settings.others:
        best = front_trials(settings, job.trials)
    else:
        best = ranked(job.trials, settings.objective.goal)
    if not best:
        which = " that meets `require`" if settings.require else ""
        raise HpoError(
            f"job {job.name} has no completed trial yet{which}; `hpo status {job.name}` shows how it stands"
        )
    different = {(trial.algorithm, identity(trial.params)): trial for trial in reversed(best)}
    best = [trial for trial in best if different[trial.algorithm, identity(trial.params)] is trial]
    if settings.others and len(best) > top:
        return [best[round(place * (len(best) - 1) / max(1, top - 1))] for place in range(top)]
    return best[:top]


def follow_up(
    job: JobView,
    trials: Sequence[Trial],
    *,
    name: str,
    seeds: int,
    seed_name: str,
    say: Callable[[str], None],
) -> Prepared:
    """Return the spec of a job that runs these trials again with the seeds 1, 2, …, as a parameter.

    Of a job with repeats it is the next seeds: by the first ones its best trials were chosen. Seed after
    seed, so that a job that is cut off has compared like with like. Raises UsageError where the seed's name
    is that of a tuned parameter, SpecError for what keeps the job from running.
    """
    base = Path(job.record.base)
    prepared = prepare([job.folder / SPEC], base=base, check_launch=False)
    spec = _all_run(_read(job.folder / SPEC), name, seed_name, runs=len(trials) * seeds)
    first = len(job.record.settings.repeats.seeds) + 1
    seeded = _Seeded(job.name, seed_name, range(first, first + seeds))
    won: dict[str | None, dict[str, Plain]] = {}
    for algorithm in dict.fromkeys(trial.algorithm for trial in trials):
        own = [trial for trial in trials if trial.algorithm == algorithm]
        given = spec
        if algorithm is not None:
            given = _searched(_mapping(_section(spec, SECTION)[algorithm]), seed_name)
        won[algorithm] = given | seeded.again(given, prepared.parts[algorithm].space, own)
    if len(won) > 1:
        return prepare([spec | {SECTION: {str(each): won[each] for each in won}}], base=base, say=say)
    shared = {key: value for key, value in spec.items() if key not in {SECTION, *OWN}}
    return prepare([_mapping(_over(shared, *won.values()))], base=base, say=say)


def _all_run(spec: dict[str, Plain], name: str, seed_name: str, *, runs: int) -> dict[str, Plain]:
    """Return the spec of a job whose first trials are all that it runs."""
    limits = {key: value for key, value in _section(spec, "limits").items() if key in _KEPT_LIMITS}
    return _searched(spec, seed_name) | {
        "name": name,
        "seed": 1,
        "strategy": "random",
        "limits": limits | {"max_jobs": runs},
        **({"retry": spec["retry"]} if "retry" in spec else {}),
    }


def _searched(sections: Mapping[str, Plain], seed_name: str) -> dict[str, Plain]:
    """Return sections without what only a search needs, and without a fixed seed."""
    kept = {key: value for key, value in sections.items() if key not in _DROPPED}
    fixed = {key: value for key, value in _mapping(sections.get("fixed")).items() if key != seed_name}
    return kept | {"fixed": fixed}


@dataclass(frozen=True, slots=True)
class _Seeded:
    """Makes trials run again, each with these seeds."""

    job: str
    seed_name: str
    seeds: range

    def again(self, sections: Mapping[str, Plain], space: Space, trials: Sequence[Trial]) -> dict[str, Plain]:
        """Return the parameters and first trials for that. Raises UsageError where the seed is tuned."""
        parameters = _mapping(sections.get("parameters"))
        if self.seed_name in parameters:
            raise UsageError(
                f"{self.seed_name} is tuned by {self.job}: give the seed's parameter another name with "
                "--seed-name"
            )
        first, last = self.seeds[0], self.seeds[-1]
        seed: Plain = {"type": "integer", "min": first, "max": max(first + 1, last)}
        initial: list[Plain] = [
            {**{key: _written(value) for key, value in trial.params.items()}, self.seed_name: seed}
            for seed in self.seeds
            for trial in trials
        ]
        again = {key: _including(_mapping(value), key, space, trials) for key, value in parameters.items()}
        return {"parameters": {**again, self.seed_name: seed}, "initial": initial}


def _over(base: Plain, own: Plain) -> Plain:
    """Return one value laid over another one: mappings key by key, everything else replaced."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    return {**base, **{key: _over(base.get(key), value) for key, value in own.items()}}


def seed_name_of(job: JobView) -> str:
    """Return the parameter by which a job's program is given its seed, as far as its spec says so."""
    return job.record.settings.repeats.seed_name or SEED_NAME


def refuse_another(folder: Path, prepared: Prepared) -> None:
    """Raise UsageError where a job of the follow-up's name is not this one."""
    with closing(Store.look(folder / DATABASE)) as store:
        digest = store.record().digest
    if digest != prepared.digest:
        raise UsageError(
            f"job {folder.name} is there already, and has run other trials, or other seeds; remove it: `hpo "
            f"delete {folder.name}`, or give this one another name: --name OTHER"
        )


def _read(path: Path) -> dict[str, Plain]:
    try:
        node, _ = read_text(path.read_text(encoding="utf-8"), str(path))
    except Unreadable as error:
        raise HpoError(f"the job's spec cannot be read: {error}") from None
    return dict(_mapping(plain(node)))


def _mapping(value: Plain) -> dict[str, Plain]:
    return value if isinstance(value, dict) else {}


def _section(spec: dict[str, Plain], key: str) -> dict[str, Plain]:
    return _mapping(spec.get(key))


def _including(
    parameter: dict[str, Plain], name: str, space: Space, trials: Sequence[Trial]
) -> dict[str, Plain]:
    """Return a parameter with a range that has these trials' values: it may have been narrowed since."""
    (range_,) = (each for each in space if each.name == name)
    outside = [
        trial.params[name]
        for trial in trials
        if name in trial.params and not range_.contains(trial.params[name])
    ]
    kept = {key: value for key, value in parameter.items() if key != "default"}
    if not outside:
        return kept
    match kept.get("type"):
        case "categorical":
            values = kept.get("values")
            return kept | {"values": [*(values if isinstance(values, list) else []), *map(_written, outside)]}
        case _:
            numbers = [value for value in outside if isinstance(value, int | float)]
            low, high = kept.pop("min"), kept.pop("max")
            kept.pop("step", None)
            return kept | {
                "min": min([*numbers, *([low] if isinstance(low, int | float) else [])]),
                "max": max([*numbers, *([high] if isinstance(high, int | float) else [])]),
            }


def _written(value: Scalar) -> Scalar:
    """Return a value as it stands in a spec."""
    return escape(value) if isinstance(value, str) else value
