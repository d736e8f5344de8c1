"""Overlays and overrides: what they replace, and where their mistakes stand."""

from collections.abc import Callable

import pytest

from hpo.errors import SpecError
from hpo.spec.document import Document
from hpo.spec.models import Spec
from hpo.spec.nodes import Plain
from hpo.spec.strategies import Hyperband

Read = Callable[..., Document]
Load = Callable[..., Spec]
Refuse = Callable[..., list[str]]


def test_overlays_merge_mappings_and_replace_everything_else(load: Load, text: str) -> None:
    spec = load(
        text,
        "limits: {max_parallel_jobs: 2}\n"
        "parameters: {depth: {max: 4}, kind: {type: categorical, values: [a]}}\n",
        "limits: {max_parallel_jobs: 3}\nparameters: {kind: {values: [b, c]}}\n",
    )
    assert (spec.limits.max_jobs, spec.limits.max_parallel_jobs) == (5, 3)
    assert [(p.name, p.count) for p in spec.space()] == [("depth", 4), ("kind", 2)]


def test_another_kind_of_launcher_keeps_what_every_kind_has(read: Read, text: str) -> None:
    base = text.replace("launcher: {", "launcher: {gpus: 1, workdir: src, env: {A: x}, ")
    document = read(base, "launcher: {kind: cluster, env: {B: y}, queue: long}\n")
    assert document.value("launcher") == {
        "workdir": "src",
        "env": {"A": "x", "B": "y"},
        "command": ["python", "train.py"],
        "kind": "cluster",
        "queue": "long",
    }
    same = read(base, "launcher: {kind: process, gpus: 2}\n")
    assert same.value("launcher.gpus") == 2


def test_another_strategy_drops_the_options_of_the_former(load: Load, text: str) -> None:
    bands = text + "strategy: {name: hyperband, max_resource: 9}\n"
    assert load(bands, "strategy: {max_resource: 27}\n").strategy == Hyperband(
        name="hyperband", max_resource=27
    )
    assert load(bands, "strategy: random\n").strategy.name == "random"
    assert load(bands, overrides=("strategy.name=random",)).strategy.name == "random"


def test_a_mistake_is_placed_in_the_overlay_it_stands_in(refuse: Refuse, text: str) -> None:
    limits = "max_jobs, max_parallel_jobs, max_runtime, max_job_runtime, max_cost, max_failures"
    allowed = f"\n    allowed here: {limits}"
    assert refuse(text, "\nlimits: {max_jobs: 0}\n", "limits: {max_job: 1}\n", overrides=("seed=x",)) == [
        "overlay-1.yaml:2:20: `limits.max_jobs` is 0; it must be 1 or more",
        f"overlay-2.yaml:1:10: unknown key `max_job` in `limits`; did you mean `max_jobs`?{allowed}",
        "--set seed=x: `seed` is `x`; it must be a whole number",
    ]


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("limits.max_jobs=7", "limits.max_jobs", 7),
        ("limits.max_runtime = 2h", ("limits", "max_runtime "), "2h"),
        ("metrics.f1=f1: (.+) # all", "metrics.f1", "f1: (.+) # all"),
        ("metrics.a:b=x=y", "metrics.a:b", "x=y"),
        ('fixed."a.b=c"=1e-4', ("fixed", "a.b=c"), 1e-4),
        ("fixed.on=off", "fixed.on", "off"),
        ("fixed.text='5'", "fixed.text", "5"),
        ('fixed.text="5\\n"', "fixed.text", "5\n"),
        ("fixed.none=", "fixed.none", None),
        ("launcher.command=[a, b c, 1]", "launcher.command", ["a", "b c", 1]),
        ("parameters={lr: {type: continuous, max: 1}}", "parameters.lr.max", 1),
        ("strategy.name=grid", "strategy", {"name": "grid"}),
        ("fixed.reference=${NAME:-5}", "fixed.reference", 5),
    ],
)
def test_an_override_sets_one_value(read: Read, text: str, override: str, path: str, value: Plain) -> None:
    found = read(text, overrides=(override,)).value(path)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "override", ["limits", "=5", ".a=5", "a.=5", "a..b=5", "", "a=[1", "a='x", "a={b: [}"]
)
def test_an_override_that_sets_nothing_is_refused(read: Read, text: str, override: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(text, overrides=(override,))
    (problem,) = caught.value.problems
    assert problem.file == f"--set {override}"
    assert (problem.line, problem.column) == (0, 0)
