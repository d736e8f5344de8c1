"""The definitions of a tuning job of AMT's with several algorithms, as a spec's section `algorithms`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from hpo.amt.draft import Draft, Mapped
from hpo.amt.values import algorithm_name
from hpo.spec.nodes import Plain

_OVERLAID = ("metrics", "fixed", "launcher")
"""Sections of which the job has what all algorithms say alike, and each the rest."""


def put_algorithms(draft: Draft, own: Mapping[str, Draft]) -> None:
    """Put what several definitions say, by their names, each drafted as if it were the only one."""
    algorithms = {name: dict(each.sections) for name, each in own.items()}
    _put_remarks(draft, own)
    _put_objective(draft, algorithms)
    _put_inputs(draft, algorithms)
    for section in _OVERLAID:
        each = [_mapping(sections.get(section)) for sections in algorithms.values()]
        draft.put(section, {key: value for key, value in each[0].items() if _is_alike(key, each)})
        for sections, all_of_it in zip(algorithms.values(), each, strict=True):
            sections[section] = {key: all_of_it[key] for key in all_of_it if not _is_alike(key, each)}
    written: Mapped = {}
    for name, sections in algorithms.items():
        if (called := algorithm_name(name)) != name:
            draft.remark("algorithms", f"the definition {name} is {called} here: no name begins with a digit")
        written[called] = {
            section: sections[section] for section in ("parameters", *_OVERLAID) if sections.get(section)
        }
    draft.put("algorithms", written)


def _put_remarks(draft: Draft, own: Mapping[str, Draft]) -> None:
    """Say what is to be said of all of them once, and of some with their names."""
    told: dict[tuple[str, str], list[str]] = {}
    for name, each in own.items():
        for remark in each.remarks:
            told.setdefault(remark, []).append(name)
    for (section, text), names in told.items():
        if len(names) == len(own):
            draft.remark(section, text)
        else:
            draft.remark("algorithms", f"{', '.join(names)}: {text}")


def _put_objective(draft: Draft, algorithms: Mapping[str, Mapped]) -> None:
    """Put the first one's objective; others read the metric of theirs under its name."""
    objectives = {name: _mapping(sections.pop("objective", None)) for name, sections in algorithms.items()}
    first = next(iter(objectives.values()))
    draft.put("objective", first)
    for name, objective in objectives.items():
        metric, metrics = objective.get("metric"), _mapping(algorithms[name].get("metrics"))
        if objective.get("goal") != first.get("goal"):
            draft.lost("objective", f"that the goal of {name} is to {objective.get('goal')}")
        if metric != first.get("metric") and isinstance(metric, str) and metric in metrics:
            called = str(first.get("metric"))
            algorithms[name]["metrics"] = {**metrics, called: metrics[metric]}
            text = f"the objective of {name} is {metric}; it is read as {called}, too, to be compared"
            draft.remark("objective", text)


def _put_inputs(draft: Draft, algorithms: Mapping[str, Mapped]) -> None:
    """Put the channels of all algorithms, which each of them is given then."""
    inputs: Mapped = {}
    own = {name: _mapping(sections.pop("inputs", None)) for name, sections in algorithms.items()}
    for name, channels in own.items():
        for channel, address in channels.items():
            if inputs.setdefault(channel, address) != address:
                text = f"that {channel} is {address} for {name}: all algorithms share the inputs"
                draft.lost("inputs", text)
    for channel in inputs:
        if without := [name for name, channels in own.items() if channel not in channels]:
            draft.lost(
                "inputs", f"that {', '.join(without)} had no {channel}: all algorithms share the inputs"
            )
    draft.put("inputs", inputs)


def _is_alike(key: str, each: Sequence[Mapped]) -> bool:
    """Tell whether all have the same under a key: 1 and true are not the same."""
    return all(key in one for one in each) and len({json.dumps(one[key]) for one in each}) == 1


def _mapping(value: Plain) -> Mapped:
    return value if isinstance(value, dict) else {}
