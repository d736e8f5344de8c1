"""`parameters: auto`: what is tuned, within which limits, chosen for learners of the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from hpo.spec.algorithms import SECTION
from hpo.spec.conditions import is_among
from hpo.spec.document import Document
from hpo.spec.learners import AUTO, LEARNERS, Learner, asks_auto, learner, may_ask
from hpo.spec.nodes import (
    Entry,
    ListNode,
    MappingNode,
    Node,
    Place,
    Plain,
    ScalarNode,
    dotted,
    merge,
    plain,
    put,
)
from hpo.spec.space import Scalar

_PLACE = Place("what hpo chose")

Entries = Mapping[str, Entry]

_At = tuple[str, ...]
"""Where the sections of a search space stand: an algorithm's place, or that of the whole spec."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What hpo chose for a job, or one of its algorithms: all else is the user's own.

    `told_by` is the section of the spec that the learner is known by; `parameters` are those whose ranges are
    the library's, wholly or in part. `limits` and `early_stopping` are the job's, whatever its algorithms.
    """

    learner: Learner
    told_by: str
    parameters: tuple[str, ...]
    fixed: Mapping[str, Scalar] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    early_stopping: str | None = None


def choose(document: Document, *, told: Mapping[str | None, str] | None = None) -> dict[str | None, Chosen]:
    """Write out in the document what `parameters: auto` stands for; return it by algorithm, or under None.

    A learner is the one of `learner`, else that of `told`, which the launcher has told. What the user has
    written stands. An unknown learner, or none, is left to the model of the spec, and nothing is returned.
    """
    parts = _parts(document)
    asking = {name: at for name, at in parts.items() if asks_auto(document.value((*at, "parameters")))}
    ranges = {name: _ranges(document, at, (told or {}).get(name)) for name, at in asking.items()}
    found = {name: each for name, each in ranges.items() if each is not None}
    if len(found) < len(asking):
        _limits(document, trials(1))  # so that limits are no mistake, too
        return {}
    if not asking:
        return {}
    tuned = [len(_entries(document.node((*at, "parameters")))) for at in parts.values()]
    limits = _limits(document, sum(map(trials, tuned)))
    known = [found[name].learner if name in found else None for name in parts]
    early_stopping = _early_stopping(document, known)
    return {name: replace(each, limits=limits, early_stopping=early_stopping) for name, each in found.items()}


def _parts(document: Document) -> dict[str | None, _At]:
    """Return where each search space of the document stands: by algorithm, or the only one under None."""
    algorithms = document.node((SECTION,))
    return {name: (SECTION, name) for name in _entries(algorithms)} or {None: ()}


def _ranges(document: Document, at: _At, told: str | None) -> Chosen | None:
    """Write out one space's parameters, with what the library fixes; None where no learner is known."""
    section = document.node((*at, "parameters"))
    name = document.value((*at, "learner")) or told
    asked = document.value((*at, "parameters", AUTO))
    if section is None or name not in LEARNERS:
        return None
    if asked is not None and not may_ask(asked):
        return None
    found = learner(str(name))
    own = dict(section.entries) if isinstance(section, MappingNode) else {}
    parameters, fixed = _taken(document, at, found, own.pop(AUTO).node if own else None)
    tuned = _tuned(parameters, own, _given(document, at))
    document.put((*at, "parameters"), MappingNode(section.place, tuned))
    told_by = dotted((*at, "learner")) if document.value((*at, "learner")) else "launcher"
    document.put((*at, "learner"), ScalarNode(section.place, found.name))
    return Chosen(
        found,
        told_by,
        parameters=tuple(name for name, entry in tuned.items() if entry is not own.get(name)),
        fixed=_fixed(document, at, fixed, tuned),
    )


def _given(document: Document, at: _At) -> Entries:
    """Return the parameters that are fixed for a space: the job's, and an algorithm's over them."""
    return {**_entries(document.node(("fixed",))), **_entries(document.node((*at, "fixed")))}


def trials(parameters: int) -> int:
    """Return how many trials so many tuned parameters get: ten for each, and at least 20.

    Ten runs for each input are what a Gaussian process mostly needs: Loeppky, Sacks and Welch, Choosing the
    Sample Size of a Computer Experiment (Technometrics 51, 2009).
    """
    return max(20, 10 * parameters)


def at_a_time(max_jobs: int) -> int:
    """Return how many trials of so many run at a time: one of 20, and at most 4.

    So at least 20 times in turn something is learnt from what ended. AWS's guide has it that one at a time
    finds the best with the least trials: docs.aws.amazon.com/sagemaker/latest/dg/
    automatic-model-tuning-considerations.html
    """
    return max(1, min(4, max_jobs // 20))


def _taken(document: Document, at: _At, found: Learner, asked: Node | None) -> tuple[Entries, Entries]:
    """Return which parameters of the library may be tuned, and which fixed: all, or those of a list.

    A listed one brings those that it depends on, and is called as the list spells it: `max-depth`.
    """
    parameters, fixed = (_entries(found.space.child(section)) for section in ("parameters", "fixed"))
    if not isinstance(asked, ListNode):
        return parameters, fixed
    spelt = _spelt(document, (*at, "parameters", AUTO), asked, found.name, {**parameters, **fixed})
    renamed = {spelt[name]: _renamed(entry, spelt) for name, entry in parameters.items() if name in spelt}
    return renamed, {spelt[name]: entry for name, entry in fixed.items() if name in spelt}


def _spelt(document: Document, at: _At, asked: ListNode, learner: str, library: Entries) -> dict[str, str]:
    """Return the library's names that a list asks for, with those they depend on, as the list spells them."""
    from hpo.spec.explain import did_you_mean

    spelt: dict[str, str] = {}
    for number, item in enumerate(asked.items):
        given = str(plain(item))
        known = next((name for name in library if name.replace("-", "_") == given.replace("-", "_")), None)
        if known is None:
            guess = did_you_mean(given, [*library])
            text = f"`{given}` is none of {learner}'s parameters in the library{guess}"
            document.problem((*at, number), text, f"there are: {', '.join(library)}")
            continue
        spelt[known] = given
    parents = [parent for name in spelt for parent in _entries(_entries(library[name]).get("when"))]
    return {**{parent: parent for parent in parents}, **spelt}


def _renamed(entry: Entry, spelt: Mapping[str, str]) -> Entry:
    """Return a parameter whose conditions name others as they are spelt."""
    if not isinstance(entry.node, MappingNode) or (when := entry.node.child("when")) is None:
        return entry
    conditions = {spelt[parent]: condition for parent, condition in _entries(when).items()}
    return Entry(entry.key, put(entry.node, ("when",), MappingNode(when.node.place, conditions)))


def _tuned(library: Entries, own: Entries, fixed: Entries) -> dict[str, Entry]:
    """Return the library's parameters with the user's laid over them, and then the user's others.

    One that is whole, with a `type`, stands as it is written; of the others single keys are replaced. What
    could never be active is left out.
    """
    tuned: dict[str, Entry] = {}
    for name, entry in library.items():
        mine = own.get(name)
        if mine is None:
            if name not in fixed and (active := _activated(entry, tuned, fixed)):
                tuned[name] = active
        elif _entries(mine).keys() & {"type"}:
            tuned[name] = mine
        else:
            laid = _laid_over(entry, mine)
            tuned[name] = laid if "when" in _entries(mine) else _activated(laid, tuned, fixed) or laid
    return {**tuned, **{name: entry for name, entry in own.items() if name not in tuned}}


def _laid_over(entry: Entry, mine: Entry) -> Entry:
    if isinstance(entry.node, MappingNode) and isinstance(mine.node, MappingNode):
        return Entry(mine.key, merge(entry.node, mine.node))
    return mine


def _activated(entry: Entry, tuned: Entries, fixed: Entries) -> Entry | None:
    """Return a parameter with those of its conditions that are still open; None where one never holds."""
    if not isinstance(entry.node, MappingNode):
        return entry
    open_ones: dict[str, Entry] = {}
    for parent, condition in _entries(entry.node.child("when")).items():
        values = condition.node.items if isinstance(condition.node, ListNode) else ()
        if parent in fixed:
            if not _has(values, fixed[parent].node):
                return None
            continue
        offered = _entries(tuned.get(parent)).get("values")
        if offered is not None and isinstance(offered.node, ListNode):
            values = tuple(value for value in values if _has(offered.node.items, value))
        if parent not in tuned or not values:
            return None
        open_ones[parent] = Entry(condition.key, ListNode(condition.node.place, values))
    entries = {key: part for key, part in entry.node.entries.items() if key != "when"}
    if open_ones:
        entries["when"] = Entry(entry.key, MappingNode(entry.key, open_ones))
    return Entry(entry.key, MappingNode(entry.node.place, entries))


def _has(items: Sequence[Node], node: Node) -> bool:
    values = [item.value for item in items if isinstance(item, ScalarNode)]
    return isinstance(node, ScalarNode) and is_among(node.value, values)


def _fixed(document: Document, at: _At, library: Entries, tuned: Entries) -> Mapping[str, Scalar]:
    """Fix what the library fixes of parameters that the user says nothing of, and return it."""
    if not isinstance(document.value((*at, "fixed")), dict | None):
        return {}
    given = _given(document, at)
    chosen = {name: entry.node for name, entry in library.items() if name not in tuned and name not in given}
    for name, node in chosen.items():
        document.put((*at, "fixed", name), node)
    return {name: node.value for name, node in chosen.items() if isinstance(node, ScalarNode)}


def _limits(document: Document, count: int) -> Mapping[str, int]:
    """Limit what the user has set no limit to, to so many trials; a grid has its own number of them."""
    if not isinstance(document.value("limits"), dict | None):
        return {}
    most, chosen = document.value("limits.max_jobs"), dict[str, int]()
    if most is None and _strategy(document) != "grid":
        most = chosen["max_jobs"] = count
    if isinstance(most, int) and document.value("limits.max_parallel_jobs") is None:
        chosen["max_parallel_jobs"] = at_a_time(most)
    for key, limit in chosen.items():
        document.put(("limits", key), ScalarNode(_PLACE, limit, plain=True))
    return chosen


def _early_stopping(document: Document, learners: Sequence[Learner | None]) -> str | None:
    """Stop trials early where a learner prints one curve and nothing else does; return the rule.

    Each is judged beside its own like, so that a learner which prints no curve is let alone; of one that is
    not known, None, that cannot be told.
    """
    is_open = document.value("early_stopping") is None and _strategy(document) != "hyperband"
    known = [learner for learner in learners if learner is not None]
    in_steps = len(known) == len(learners) and any(learner.in_steps for learner in known)
    if not (is_open and in_steps and document.value("objectives") is None):
        return None
    document.put(("early_stopping",), ScalarNode(_PLACE, "median", plain=True))
    return "median"


def _strategy(document: Document) -> Plain:
    strategy = document.value("strategy")
    return strategy.get("name") if isinstance(strategy, dict) else strategy


def _entries(node: Node | Entry | None) -> Entries:
    """Return what stands in a mapping; nothing in all else."""
    node = node.node if isinstance(node, Entry) else node
    return node.entries if isinstance(node, MappingNode) else {}
