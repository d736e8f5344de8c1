"""How a tuning job of AMT's searches and when it ends, as sections of a spec."""

from __future__ import annotations

from collections.abc import Mapping

from hpo.amt.answer import Answer
from hpo.amt.draft import Draft, Mapped, duration, given
from hpo.amt.ranges import Kind, ranges
from hpo.amt.values import json_value, value_of
from hpo.spec.nodes import Plain

_OBJECTIVE = "_tuning_objective_metric"
"""What AMT itself adds to the hyperparameters: the objective's name."""

_SDK = "sagemaker_"
"""How the names of those begin that SageMaker's SDK adds for its own use."""

_PROGRAM = "sagemaker_program"
"""The one by which script mode is told."""

_WARM_STARTS = {"IdenticalDataAndAlgorithm": "identical", "TransferLearning": "transfer"}


def put_search(draft: Draft, config: Answer, *, launched: int) -> None:
    """Put what a tuning job's configuration says of the search; it has had so many training jobs."""
    _put_strategy(draft, config)
    draft.put("seed", config.integer("RandomSeed"))
    _put_limits(draft, config.part("ResourceLimits"), launched)
    _put_end(draft, config.part("TuningJobCompletionCriteria"))
    if config.text("TrainingJobEarlyStoppingType") == "Auto":
        draft.put("early_stopping", "median")


def put_space(draft: Draft, config: Answer, definition: Answer) -> Mapping[str, str]:
    """Put what is tuned of an algorithm, for what, and what it is given beside.

    Returns what SageMaker's SDK has put among the hyperparameters. Raises LauncherError for a range that is
    none.
    """
    _put_objective(draft, config, definition)
    _put_parameters(draft, config, definition)
    texts = definition.mapping("StaticHyperParameters")
    _put_fixed(draft, texts)
    return {name: text for name, text in texts.items() if name.startswith(_SDK)}


def put_warm_start(draft: Draft, warm: Answer) -> None:
    """Put the tuning jobs that this one began with."""
    kind = warm.text("WarmStartType")
    parents: list[Plain] = [
        f"sagemaker:{parent.text('HyperParameterTuningJobName')}"
        for parent in warm.parts("ParentHyperParameterTuningJobs")
    ]
    if parents:
        draft.put("warm_start", {"type": _WARM_STARTS.get(kind, kind), "parents": parents})


def _put_strategy(draft: Draft, config: Answer) -> None:
    name = config.text("Strategy").lower()
    bounds = config.part("StrategyConfig").part("HyperbandStrategyConfig")
    options = given(min_resource=bounds.integer("MinResource"), max_resource=bounds.integer("MaxResource"))
    draft.put("strategy", {"name": name, **options} if options else name)


def _put_objective(draft: Draft, config: Answer, definition: Answer) -> None:
    algorithm = definition.part("AlgorithmSpecification")
    metrics: Mapped = {
        entry.text("Name"): entry.text("Regex") for entry in algorithm.parts("MetricDefinitions")
    }
    objective = config.part("HyperParameterTuningJobObjective") or definition.part("TuningObjective")
    metric, goal = objective.text("MetricName"), objective.text("Type").lower()
    draft.put("objective", given(metric=metric, goal=goal))
    draft.put("metrics", metrics)
    if metric and metric not in metrics:
        draft.lost(
            "metrics",
            f"the regex of {metric}, which is the algorithm's own; find it in the algorithm's documentation, "
            "or with `hpo metrics SPEC --log FILE`, and add it",
        )


def _put_parameters(draft: Draft, config: Answer, definition: Answer) -> None:
    parameters: Mapped = {}
    fixed: Mapped = {}
    for part in (config.part("ParameterRanges"), definition.part("HyperParameterRanges")):
        for tuned in ranges(part):
            if tuned.kind is not Kind.CATEGORICAL and tuned.low == tuned.high:
                fixed[tuned.name] = tuned.low
                draft.remark("fixed", f"{tuned.name} was tuned in a range of one value")
                continue
            if tuned.kind is Kind.INTEGER and tuned.scaling == "reverse-logarithmic":
                draft.lost("parameters", f"the scaling of {tuned.name}, which is for real numbers only")
                parameters[tuned.name] = {**tuned.written, "scaling": "auto"}
                continue
            parameters[tuned.name] = tuned.written
        for chosen in part.parts("AutoParameters"):
            name, hint = chosen.text("Name"), chosen.text("ValueHint")
            known = f" (its hint: {hint})" if hint else ""
            draft.lost("parameters", f"{name}, whose range SageMaker chose itself{known}; give it one")
    draft.put("parameters", parameters)
    draft.put("fixed", fixed)


def _put_fixed(draft: Draft, texts: Mapping[str, str]) -> None:
    is_script = _PROGRAM in texts
    fixed = draft.mapping("fixed")
    for name, text in texts.items():
        if name == _OBJECTIVE or name.startswith(_SDK):
            continue
        # In script mode the toolkit reads what it gets as JSON, and else the text itself counts.
        fixed[name] = json_value(text) if is_script else value_of(text)
        if is_script and text.startswith(("[", "{")):
            draft.lost("fixed", f"that {name} is a list or a mapping: the program gets it as a text")
    draft.put("fixed", fixed)


def _put_limits(draft: Draft, limits: Answer, launched: int) -> None:
    most = limits.integer("MaxNumberOfTrainingJobs")
    if most is None and draft.sections.get("strategy") != "grid":
        most = launched or None
        draft.remark(
            "limits",
            "the tuning job had no limit on its training jobs: max_jobs is how many it had launched"
            if launched
            else "the tuning job had no limit on its training jobs: give max_jobs",
        )
    draft.put(
        "limits",
        given(
            max_jobs=most,
            max_parallel_jobs=limits.integer("MaxParallelTrainingJobs"),
            max_runtime=duration(limits.integer("MaxRuntimeInSeconds")),
        ),
    )


def _put_end(draft: Draft, criteria: Answer) -> None:
    not_improving = criteria.part("BestObjectiveNotImproving")
    ends: Mapped = {}
    target = criteria.number("TargetObjectiveMetricValue")
    if target is not None:  # which may be 0
        ends["target"] = target
    ends |= given(
        not_improving_for=not_improving.integer("MaxNumberOfTrainingJobsNotImproving"),
        converged=criteria.part("ConvergenceDetected").text("CompleteOnConvergence") == "Enabled",
    )
    draft.put("stop_when", ends)
