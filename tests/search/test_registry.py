from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpo.core.settings import Goal, Objective
from hpo.errors import UsageError
from hpo.search.registry import build, names
from hpo.spec.space import Integer, Scalar, Space

SPACE = Space((Integer("n", 1, 9),))
PLUGIN = """
class Countdown:
    def __init__(self, context, *, start=9):
        self.context, self.start = context, start
    def prepare(self): pass
    def propose(self, history, number): return None
    needs_results = True
    def should_stop(self, history, number): return ""
"""


def test_the_built_in_strategies() -> None:
    assert names()[:4] == ["bayesian", "random", "grid", "hyperband"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("bayesain", {}, "there is no strategy `bayesain`; did you mean `bayesian`?"),
        ("x", {}, "there is no strategy `x`; there are: bayesian, random, grid, hyperband"),
        ("random", {"start": 1}, "the strategy random has no option `start`; there are none"),
        (
            "hyperband",
            {"min_resorce": 1, "max_resource": 9},
            "the strategy hyperband has no option `min_resorce`; did you mean `min_resource`?",
        ),
        ("hyperband", {"reduction_factor": 4}, "the strategy hyperband needs min_resource and max_resource"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_way_on(
    name: str, options: dict[str, Scalar], message: str
) -> None:
    objective = Objective("loss", Goal.MINIMIZE)
    with pytest.raises(UsageError) as raised:
        build(name, space=SPACE, seed=1, objective=objective, max_jobs=9, options=options)
    assert str(raised.value) == message


def installed(folder: Path, name: str) -> None:
    """Lay out an installed package with one strategy."""
    (folder / "countdown.py").write_text(PLUGIN)
    info = folder / "countdown-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: countdown\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[hpo.strategies]\n{name} = countdown:Countdown\n")


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


BUILD = """
from hpo.core.settings import Goal, Objective
from hpo.search.registry import build, names
from hpo.spec.space import Integer, Space
space, objective = Space((Integer("n", 1, 9),)), Objective("loss", Goal.MINIMIZE)
built = build("countdown", space=space, seed=1, objective=objective, max_jobs=9, options={"start": 5})
print(names(), type(built).__name__, built.start, built.context.seed)
"""


def test_another_package_adds_a_strategy(tmp_path: Path) -> None:
    installed(tmp_path, "countdown")
    ran = run(BUILD, tmp_path)
    expected = "['bayesian', 'random', 'grid', 'hyperband', 'countdown'] Countdown 5 1\n"
    assert (ran.stdout, ran.stderr) == (expected, "")


def test_a_name_that_is_taken_is_an_error(tmp_path: Path) -> None:
    installed(tmp_path, "grid")
    ran = run("from hpo.search.registry import names; names()", tmp_path)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        "hpo.errors.HpoError: two strategies are called `grid`: "
        "hpo.search.grid_search:GridSearch and countdown:Countdown; uninstall the package of one of them"
    )


@pytest.mark.parametrize("name", ["random", "grid", "bayesian", "hyperband"])
def test_building_a_strategy_imports_no_heavy_library(name: str, tmp_path: Path) -> None:
    options = "{'min_resource': 1, 'max_resource': 9}" if name == "hyperband" else "{}"
    code = f"""
import sys
from hpo.core.settings import Goal, Objective
from hpo.search.registry import build
from hpo.spec.space import Integer, Space
space, objective = Space((Integer("n", 1, 9),)), Objective("loss", Goal.MINIMIZE)
build({name!r}, space=space, seed=1, objective=objective, max_jobs=9, options={options})
print({{"optuna", "numpy", "pydantic"}} & set(sys.modules))
"""
    ran = run(code, tmp_path)
    assert (ran.stdout, ran.stderr) == ("set()\n", "")
