"""What a spec's text means."""

from collections.abc import Callable

import pytest
from pydantic import BaseModel

from hpo.spec.models import Launcher, Spec
from hpo.spec.scaling import Scaling
from hpo.spec.space import Categorical, Continuous, Integer
from hpo.spec.strategies import EPOCHS, Hyperband

Load = Callable[..., Spec]
Refuse = Callable[..., list[str]]


def test_what_is_not_written_has_its_default(load: Load, text: str) -> None:
    spec = load(text)
    assert spec.strategy.name == "bayesian"
    assert spec.seed is None
    assert spec.objective.take == "last"
    assert (spec.limits.max_jobs, spec.limits.max_parallel_jobs) == (5, 1)
    assert spec.limits.max_runtime is None
    assert spec.stop_when.target is None
    assert spec.retry.attempts == 2
    assert spec.launcher.kind == "process"
    assert dict(spec.fixed) == {}


def test_a_key_without_a_value_counts_as_not_given(load: Load, text: str) -> None:
    spec = load(text + "seed:\nstop_when:\nstrategy:\nretry: {attempts: }\nfixed: {kept: }\n")
    assert spec.strategy.name == "bayesian"
    assert spec.retry.attempts == 2
    assert spec.fixed == {"kept": None}


def test_a_spec_is_frozen(load: Load, text: str) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(text).limits.max_jobs = 6


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("1e-5", 1e-5),
        ("'90'", 90.0),
        ("90s", 90.0),
        ("15m", 900.0),
        ("1.5h", 5400.0),
        ("2 h", 7200.0),
        ("1d", 86400.0),
    ],
)
def test_durations_are_seconds(load: Load, text: str, written: str, seconds: float) -> None:
    spec = load(text.replace("max_jobs: 5", f"max_jobs: 5, max_runtime: {written}"))
    assert spec.limits.max_runtime == seconds


@pytest.mark.parametrize(
    "written", ["0", "-5", ".inf", ".nan", "5w", "h", "1h30m", "true", "[1]", "'1e3s'", "-1m"]
)
def test_other_durations_are_refused(refuse: Refuse, text: str, written: str) -> None:
    (problem,) = refuse(text.replace("max_jobs: 5", f"max_jobs: 5, max_runtime: {written}"))
    assert "it must be a duration above 0: 90, 90s, 15m, 2h, 1.5h or 1d" in problem


@pytest.mark.parametrize("name", ["a", "A-1", "x" * 32, "1", "0-0"])
def test_names(load: Load, text: str, name: str) -> None:
    assert load(text, overrides=(f"name='{name}'",)).name == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "x" * 33, "a b", "a_b", "é", "a\n", "٣"])
def test_other_names_are_refused(refuse: Refuse, text: str, name: str) -> None:
    (problem,) = refuse(text, overrides=(f'name="{name}"'.replace("\n", "\\n"),))
    assert "it must be 1 to 32 letters (a to z), digits and inner hyphens" in problem


@pytest.mark.parametrize("name", ["a/b", "..", ".", "./a", "~/a", "a\\b", "/etc/passwd"])
def test_a_name_that_is_a_path_is_told_so(refuse: Refuse, text: str, name: str) -> None:
    (problem,) = refuse(text, overrides=(f"name='{name}'",))
    assert "a name is not a path" in problem


def test_the_space_has_the_parameters_in_their_order(load: Load) -> None:
    spec = load(
        "name: a\nobjective: {metric: m, goal: minimize}\nmetrics: {m: 'm=(.+)'}\nlimits: {max_jobs: 1}\n"
        "parameters:\n"
        "  z: {type: continuous, min: 1, max: 99}\n"
        "  y: {type: continuous, min: 0.01, max: 1}\n"
        "  x: {type: continuous, min: 0.9, max: 0.999}\n"
        "  w: {type: continuous, min: 0, max: 1, step: 0.25}\n"
        "  v: {type: integer, min: 1, max: 100}\n"
        "  u: {type: integer, min: 0, max: 1000, step: 10}\n"
        "  t: {type: continuous, min: 0.001, max: 1, scaling: linear}\n"
        "  s: {type: integer, min: 1, max: 2, scaling: logarithmic}\n"
        "  r: {type: categorical, values: [1, 1.0, true, '1', null]}\n"
    )
    assert spec.space().parameters == (
        Continuous("z", 1.0, 99.0),
        Continuous("y", 0.01, 1.0, Scaling.LOGARITHMIC),
        Continuous("x", 0.9, 0.999, Scaling.REVERSE_LOGARITHMIC),
        Continuous("w", 0.0, 1.0, step=0.25),
        Integer("v", 1, 100, Scaling.LOGARITHMIC),
        Integer("u", 0, 1000, step=10),
        Continuous("t", 0.001, 1.0),
        Integer("s", 1, 2, Scaling.LOGARITHMIC),
        Categorical("r", (1, 1.0, True, "1", None)),
    )
    values = spec.space().parameters[-1]
    assert isinstance(values, Categorical)
    assert [type(value) for value in values.values] == [int, float, bool, str, type(None)]


def test_values_keep_their_types(load: Load, text: str) -> None:
    fixed = load(text + "fixed: {a: 1, b: 1.0, c: true, d: '1', e: ~, f: off, g: 1e-4}\n").fixed
    assert list(fixed.values()) == [1, 1.0, True, "1", None, "off", 1e-4]
    assert [type(value) for value in fixed.values()] == [int, float, bool, str, type(None), str, float]


def test_a_grid_runs_every_combination(load: Load, text: str) -> None:
    grid = text.replace("limits: {max_jobs: 5}\n", "strategy: grid\n")
    assert load(grid).limits.max_jobs == 8
    assert load(grid + "limits: {max_parallel_jobs: 2}\n").limits.max_jobs == 8
    assert load(grid + "limits: {max_jobs: 8}\n").limits.max_jobs == 8


def test_other_strategies_need_a_number_of_jobs(refuse: Refuse, text: str) -> None:
    (problem,) = refuse(text.replace("limits: {max_jobs: 5}\n", ""))
    assert "`limits.max_jobs` is missing" in problem


def test_a_mistake_elsewhere_does_not_make_a_grids_number_missing(refuse: Refuse, text: str) -> None:
    grid = text.replace("limits: {max_jobs: 5}", "strategy: grid").replace("max: 8", "max: eight")
    assert len(refuse(grid)) == 1
    assert len(refuse(grid.replace("strategy: grid", "strategy: gird").replace("eight", "8"))) == 1


@pytest.mark.parametrize("name", EPOCHS)
def test_hyperband_takes_its_resource_from_the_epochs(load: Load, text: str, name: str) -> None:
    spec = load(text + f"strategy: hyperband\nfixed: {{{name}: 27}}\n")
    assert spec.strategy == Hyperband(name="hyperband", min_resource=1, max_resource=27)


def test_a_resource_that_is_given_goes_before_the_epochs(load: Load, text: str) -> None:
    spec = load(text + "strategy: {name: hyperband, max_resource: 9}\nfixed: {epochs: 27}\n")
    assert spec.strategy == Hyperband(name="hyperband", max_resource=9)


@pytest.mark.parametrize("epochs", ["1", "'27'", "true", "2.5", "0"])
def test_epochs_that_are_no_resource_are_refused(refuse: Refuse, text: str, epochs: str) -> None:
    (problem,) = refuse(text + f"strategy: hyperband\nfixed: {{epochs: {epochs}}}\n")
    assert "`fixed.epochs`" in problem
    assert "hyperband needs a whole number above min_resource" in problem


def test_an_unreadable_fixed_section_does_not_make_the_resource_missing(refuse: Refuse, text: str) -> None:
    (problem,) = refuse(text + "strategy: hyperband\nfixed: {epochs: 27, x: []}\n")
    assert "`fixed.x`" in problem


def test_more_parallel_jobs_than_jobs_are_allowed(load: Load, text: str) -> None:
    assert load(text, overrides=("limits.max_parallel_jobs=50",)).limits.max_parallel_jobs == 50


@pytest.mark.parametrize("early", ["early_stopping: off", "early_stopping: 'off'"])
def test_early_stopping_may_be_off(load: Load, text: str, early: str) -> None:
    assert load(text + early).early_stopping == "off"


def test_a_launcher_keeps_options_that_only_it_knows(load: Load, text: str) -> None:
    launcher = load(text).launcher
    assert isinstance(launcher, Launcher)
    assert launcher.model_extra == {"command": ["python", "train.py"]}


@pytest.mark.parametrize("name", ["a", "_", "a.b-c_D9", "x" * 256])
def test_parameter_names(load: Load, text: str, name: str) -> None:
    assert list(load(text.replace("depth", f'"{name}"')).parameters) == [name]


@pytest.mark.parametrize("name", ["", "9a", "-a", ".a", "a b", "é", "x" * 257, "a\\n", "a=b", "a/b"])
def test_other_parameter_names_are_refused(refuse: Refuse, text: str, name: str) -> None:
    (problem,) = refuse(text.replace("depth", f'"{name}"'))
    assert problem.startswith("tune.yaml:5:3: ")
    assert "a parameter's name is 1 to 256 letters" in problem


def test_a_spec_is_refused_as_a_whole_by_the_model_itself() -> None:
    with pytest.raises(ValueError, match="`metrics` has no such name"):
        Spec.model_validate(
            {
                "name": "a",
                "objective": {"metric": "f1", "goal": "maximize"},
                "metrics": {"f2": "(.)"},
                "parameters": {"a": {"type": "integer", "min": 1, "max": 2}},
                "limits": {"max_jobs": 1},
            }
        )


def _fields(model: type[BaseModel], seen: set[type[BaseModel]]) -> None:
    if model in seen:
        return
    seen.add(model)
    for below in model.__subclasses__():
        _fields(below, seen)


def test_every_field_has_a_description() -> None:
    models: set[type[BaseModel]] = set()
    _fields(BaseModel, models)
    fields = [
        (model.__name__, name, field.description)
        for model in models
        if model.__module__.startswith("hpo.spec.")
        for name, field in model.model_fields.items()
    ]
    assert len(fields) > 30
    assert [field for field in fields if not field[2]] == []
