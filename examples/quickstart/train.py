"""Train a random forest on images of digits, in the style of a SageMaker script-mode program.

It knows nothing of its tuner: hyperparameters are arguments, folders are in `SM_*` variables, scores
are printed. It runs alone as well: `python train.py --max-depth 12`.
"""

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from sklearn.model_selection import train_test_split


def parse_hyperparameters() -> dict[str, int | float | str]:
    """Read the arguments: those of scikit-learn's forest, with its defaults."""
    parser = argparse.ArgumentParser(description="Train a random forest on images of digits.")
    parser.add_argument("--n-estimators", type=int, default=100, help="trees in the forest")
    parser.add_argument("--criterion", choices=["gini", "entropy", "log_loss"], default="gini")
    parser.add_argument("--max-depth", type=int, help="levels of a tree; no limit by default")
    parser.add_argument("--max-leaf-nodes", type=int, help="leaves of a tree; no limit by default")
    parser.add_argument("--max-features", type=float, default=0.125, help="share of the pixels a split sees")
    parser.add_argument("--max-samples", type=float, help="share of the images a tree sees")
    parser.add_argument("--min-samples-split", type=int, default=2, help="images a split needs")
    parser.add_argument("--min-samples-leaf", type=int, default=1, help="images a leaf needs")
    parser.add_argument("--min-weight-fraction-leaf", type=float, default=0.0)
    parser.add_argument("--ccp-alpha", type=float, default=0.0, help="pruning by cost and complexity")
    parser.add_argument("--seed", type=int, default=0, dest="random_state", help="of the forest")
    return vars(parser.parse_args())


def load_images() -> tuple[np.ndarray, np.ndarray]:
    """Return pixels and labels: scikit-learn's, or from channel `train`, CSV files with the label first."""
    channel = os.environ.get("SM_CHANNEL_TRAIN")
    if channel is None:
        return load_digits(return_X_y=True)
    files = sorted(Path(channel).glob("*.csv"))
    table = np.vstack([np.loadtxt(file, delimiter=",", ndmin=2) for file in files])
    return table[:, 1:], table[:, 0].astype(int)


def main() -> None:
    """Train, print the averages over the classes, and save the model where SageMaker expects it."""
    forest = RandomForestClassifier(**parse_hyperparameters())
    images, labels = load_images()
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=0.25, stratify=labels, random_state=0
    )
    forest.fit(train_images, train_labels)
    predicted = forest.predict(test_images)

    pre, rec, f1, _ = precision_recall_fscore_support(
        test_labels, predicted, average="macro", zero_division=0
    )
    print(f"pre: {pre:.6f} rec: {rec:.6f} f1: {f1:.6f}")

    if folder := os.environ.get("SM_MODEL_DIR"):
        joblib.dump(forest, Path(folder) / "model.joblib", compress=1)
    if folder := os.environ.get("SM_OUTPUT_DATA_DIR"):
        counts = confusion_matrix(test_labels, predicted)
        np.savetxt(Path(folder) / "confusion.csv", counts, fmt="%d", delimiter=",")


if __name__ == "__main__":
    main()
