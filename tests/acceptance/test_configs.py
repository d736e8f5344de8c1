"""Overlays that come with hpo: metrics of SageMaker's built-in algorithms, and search spaces."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpo.metrics.regex import pattern_problem, pattern_warnings
from hpo.metrics.scan import compile_metrics
from hpo.spec.document import Document
from hpo.spec.load import spec_of
from hpo.spec.models import Spec
from tests.command_line import Hpo

CONFIGS = Path(__file__).parents[2] / "configs"
METRICS = sorted((CONFIGS / "metrics").glob("*.yaml"))
SPACES = sorted((CONFIGS / "spaces").glob("*.yaml"))

LINES: dict[str, dict[str, dict[str, float]]] = {
    "xgboost": {
        "[0]\ttrain-auc:0.91\tvalidation-auc:0.95\tvalidation-logloss:4.2e-05": {
            "validation:auc": 0.95,
            "validation:logloss": 4.2e-05,
        },
        "[12]#011train-auc:0.91#011validation-auc:0.95#011validation-aucpr:0.5": {
            "validation:auc": 0.95,
            "validation:aucpr": 0.5,
        },
        "[2026-11-21:10:00:00:INFO] [7]#011validation-rmse:1.5": {"validation:rmse": 1.5},
        "[7]\tvalidation-ndcg@5:0.25": {"validation:ndcg": 0.25},
        "[7]#011train-auc:0.9": {},
    },
    "linear-learner": {
        "#quality_metric: host=algo-1, validation binary_classification_accuracy <score>=0.98": {
            "validation:binary_classification_accuracy": 0.98
        },
        "#quality_metric: host=algo-1, validation binary_f_1.000 <score>=0.5": {
            "validation:binary_f_beta": 0.5
        },
        "#quality_metric: host=algo-1, validation macro_recall <score>=0.25": {
            "validation:macro_recall": 0.25
        },
        "#quality_metric: host=algo-1, validation mse <loss>=1e-3": {"validation:mse": 0.001},
        "#quality_metric: host=algo-1, validation absolute_loss <loss>=3": {"validation:absolute_loss": 3.0},
        "#quality_metric: host=algo-1, epoch=3, validation binary_classification_cross_entropy_objective "
        "<loss>=0.125": {"validation:objective_loss": 0.125},
        "#quality_metric: host=algo-1, epoch=3, train binary_hinge_objective <loss>=9": {},
        "#progress_metric: host=algo-1, completed 20 %": {"progress": 20.0},
        "#throughput_metric: host=algo-1, train throughput=1234.5 records/second": {
            "train:throughput": 1234.5
        },
    },
    "k-means": {
        "#quality_metric: host=algo-1, test msd <loss>=10.5": {"test:msd": 10.5},
        "#quality_metric: host=algo-1, test ssd <loss>=1050": {"test:ssd": 1050.0},
    },
    "object-detection": {
        "#quality_metric: host=algo-1, epoch=4, validation mAP <score>=(0.111078)": {
            "validation:mAP": 0.111078
        },
    },
    "ip-insights": {
        "#quality_metric: host=algo-1, epoch=4, validation discriminator_auc <score>=0.99": {
            "validation:discriminator_auc": 0.99
        },
    },
    "catboost": {"bestTest = 0.3187437008": {"validation:best": 0.3187437008}},
    "lightgbm": {
        "[10]\tvalid_0's rmse: 0.5": {"rmse": 0.5},
        "[10]#011valid_0's binary_logloss: 4.2e-05#011valid_0's auc: 0.9": {
            "binary_logloss": 4.2e-05,
            "auc": 0.9,
        },
        "l1: 2, l2: 4": {"l1": 2.0, "l2": 4.0},
        "auc_mu: 0.25": {"auc_mu": 0.25},
    },
    "tabtransformer": {
        "metrics={'r2': 0.75}": {"r2": 0.75},
        "metrics={'f1': 0.5}": {"f1_score": 0.5},
        "metrics={'accuracy': 0.25}": {"accuracy_score": 0.25},
    },
    "tensorflow-text": {"val_accuracy=0.875": {"validation:accuracy": 0.875}},
    "tensorflow-detection": {"Val_localization=0.0625": {"validation:localization_loss": 0.0625}},
}
"""What the lines of each algorithm's log must give, and nothing else."""

LOSSES = re.compile(
    r"nloglik|deviance|error|logloss|ma[ep]e?$|mphe|mse|rmse|rmsle|loss|msd|ssd|l1|l2|huber|fair|cross_entropy"
)


def metrics_of(path: Path) -> dict[str, str]:
    read: dict[str, Any] = yaml.safe_load(path.read_text())
    assert read.keys() == {"metrics"}
    metrics: dict[str, str] = read["metrics"]
    return metrics


def test_every_algorithm_has_its_lines() -> None:
    assert {path.stem for path in METRICS} == LINES.keys()


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.stem)
def test_acceptance_10_one_definition_matches_a_tab_and_what_cloudwatch_makes_of_it(path: Path) -> None:
    scanner = compile_metrics(metrics_of(path))
    for line, wanted in LINES[path.stem].items():
        for written in {line, line.replace("\t", "#011"), line.replace("#011", "\t")}:
            found = scanner.scan(f"{written}\n".encode()).matches
            assert {match.metric: match.value for match in found} == wanted, written


XGBOOST = {
    "maximize": "accuracy auc aucpr balanced_accuracy f1 f1_binary f1_macro map ndcg precision "
    "precision_macro precision_micro r2 recall recall_macro recall_micro",
    "minimize": "aft-nloglik cox-nloglik gamma-nloglik poisson-nloglik tweedie-nloglik gamma-deviance error "
    "logloss mae mape merror mlogloss mphe mse rmse rmsle",
}
"""The metrics of AWS's guide, by their goals."""


@pytest.mark.parametrize("goal", XGBOOST)
def test_acceptance_10_each_metric_of_xgboost_is_read_by_its_own_definition_alone(goal: str) -> None:
    path = CONFIGS / "metrics" / "xgboost.yaml"
    metrics = metrics_of(path)
    listed = path.read_text().partition("# goal: minimize")[0 if goal == "maximize" else 2]
    names = XGBOOST[goal].split()
    assert re.findall(r'"validation:([^"]+)":', listed) == names
    scanner = compile_metrics(metrics)
    for name in names:
        for tab in ("\t", "#011"):
            line = f"[3]{tab}train-{name}:0.1{tab}validation-{name}:4.2e-05{tab}other-{name}:0.3\n"
            found = scanner.scan(line.encode()).matches
            assert {match.metric: match.value for match in found} == {f"validation:{name}": 4.2e-05}


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.stem)
def test_definitions_are_within_sagemaker_s_limits_and_without_traps(path: Path) -> None:
    metrics = metrics_of(path)
    assert len(metrics) <= 40
    for regex in metrics.values():
        assert len(regex) <= 500
        assert not pattern_problem(regex)
        assert not pattern_warnings(regex)


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.stem)
def test_each_metric_stands_under_its_goal(path: Path) -> None:
    goal = ""
    for line in path.read_text().splitlines():
        if line.startswith("  # "):
            goal = line.removeprefix("  # goal: ")
            continue
        metric = re.match(r'  "(?:validation:|test:)?([^"]+)":', line)
        if metric and goal in {"maximize", "minimize"}:
            is_loss = bool(LOSSES.search(metric[1])) and metric[1] not in {"map", "mAP"}
            assert goal == ("minimize" if is_loss else "maximize"), line


@pytest.mark.parametrize("path", METRICS, ids=lambda path: path.stem)
def test_the_example_of_an_overlay_is_right(hpo: Hpo, path: Path) -> None:
    (metric, goal), *_ = re.findall(r'\{metric: "([^"]+)", goal: (\w+)\}', path.read_text())
    line = next(
        line for line, wanted in LINES[path.stem].items() if metric in wanted or path.stem == "tabtransformer"
    )
    hpo.write("line", f"{line}\n")
    hpo.job("cat line", objective={"metric": metric, "goal": goal}, limits={"max_jobs": 1})
    hpo("run", "spec.yaml", "-c", path)
    best = hpo("best", "job", "--json").json
    assert (best["goal"], best["value"]) == (goal, LINES[path.stem][line][metric])


@pytest.mark.parametrize("strategy", ["bayesian", "random"])
@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_space_is_laid_over_a_spec(path: Path, strategy: str) -> None:
    base: dict[str, object] = {
        "name": "job",
        "strategy": strategy,
        "objective": {"metric": "loss", "goal": "minimize"},
        "metrics": {"loss": r"loss=(\S+)"},
        "limits": {"max_jobs": 20},
    }
    document = Document.read([base, path])
    spec = spec_of(document)
    document.raise_problems()
    assert isinstance(spec, Spec)
    space = spec.space()
    assert len(space) >= 5
    assert space.contains(space.middle())
    text = path.read_text()
    assert f"hpo run tune.yaml -c configs/spaces/{path.name}" in text
    assert re.search(r"20\d\d|readthedocs", text), "no source is named"


def test_parameters_of_a_spec_are_added_to(hpo: Hpo) -> None:
    hpo.job("echo loss=$#", limits={"max_jobs": 2})
    hpo("run", "spec.yaml", "-c", CONFIGS / "spaces/svm.yaml")
    assert {"x", "kernel", "C"} <= hpo("best", "job", "--json").json["parameters"].keys()


def test_every_overlay_is_listed() -> None:
    readme = (CONFIGS / "README.md").read_text()
    for path in CONFIGS.rglob("*.yaml"):
        assert f"`{path.relative_to(CONFIGS)}`" in readme
