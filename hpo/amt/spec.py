"""A tuning job of AMT's as a spec that runs again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpo.amt.answer import Answer
from hpo.amt.draft import Draft
from hpo.amt.search import put_search, put_space, put_warm_start
from hpo.amt.several import put_algorithms
from hpo.amt.training import put_training
from hpo.errors import UsageError
from hpo.spec.nodes import Plain

_OUTCOME = (
    "ResponseMetadata",
    "HyperParameterTuningJobStatus",
    "CreationTime",
    "HyperParameterTuningEndTime",
    "LastModifiedTime",
    "ObjectiveStatusCounters",
    "BestTrainingJob",
    "OverallBestTrainingJob",
    "FailureReason",
    "TuningJobCompletionDetails",
    "ConsumedResources",
)
"""What a description says of how the job went, and not of how to run it."""


@dataclass(frozen=True, slots=True)
class CopiedSpec:
    """A spec, and what is to be said of its sections: what was not carried over, and why."""

    sections: Mapping[str, Plain]
    remarks: tuple[tuple[str, str], ...]  # each with the section that it is about


def copied_spec(
    description: Mapping[str, Any], *, tags: Mapping[str, str], name: str = "", definition: str = ""
) -> CopiedSpec:
    """Return a tuning job as a spec, from what DescribeHyperParameterTuningJob and ListTags answer.

    Whatever of the description has no place in a spec is told by a remark. `name` is the new job's, by
    default the old one's; `definition` picks one of several algorithms. Raises UsageError where there is no
    such definition, LauncherError for a range that is none.
    """
    answer = Answer(description)
    answer.skip(*_OUTCOME)
    counters = answer.part("TrainingJobStatusCounters")
    launched = sum(counters.integer(each) or 0 for each in _COUNTERS)
    draft = Draft()
    old, arn = answer.text("HyperParameterTuningJobName"), answer.text("HyperParameterTuningJobArn")
    draft.put("name", name or old)
    config = answer.part("HyperParameterTuningJobConfig")
    put_search(draft, config, launched=launched)
    definitions = _definitions(draft, answer, old, definition)
    own = {each: draft if len(definitions) == 1 else Draft() for each in definitions}
    for each, chosen in definitions.items():
        script = put_space(own[each], config, chosen)
        put_training(own[each], chosen, script=script, tags=tags, region=_region(arn))
    if len(definitions) > 1:
        put_algorithms(draft, own)
    put_warm_start(draft, answer.part("WarmStartConfig"))
    if answer.part("Autotune").text("Mode"):
        draft.lost(
            "parameters",
            "Autotune, by which SageMaker chooses what was not given (ranges, strategy, early stopping, …); "
            "hpo's own is `parameters: auto` with a `learner`",
        )
    for left in answer.left():
        draft.lost("launcher" if "TrainingJobDefinition" in left else "strategy", left)
    return CopiedSpec(draft.sections, tuple(draft.remarks))


_COUNTERS = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")


def _definitions(draft: Draft, answer: Answer, job: str, wanted: str) -> dict[str, Answer]:
    """Return the definitions of the training jobs by their names: all, or the wanted one."""
    several = answer.parts("TrainingJobDefinitions")
    if not several:
        several = [answer.part("TrainingJobDefinition")]
    by_name = {each.text("DefinitionName"): each for each in several}
    if wanted and wanted not in by_name:
        raise UsageError(
            f"the tuning job {job} has no definition {wanted!r}; it has {', '.join(by_name) or 'none'}"
        )
    if not wanted:
        return by_name
    for name, each in by_name.items():
        if name != wanted:
            each.clear()
            draft.lost("parameters", f"the definition {name}; copy it with --definition {name}")
    return {wanted: by_name[wanted]}


def _region(arn: str) -> str:
    """Return the region in an ARN; "" where it has none."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""
