"""Train a random forest on images of digits, with hyperparameters by scikit-learn's own names."""

import argparse

from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score


def parse_hyperparameters() -> dict[str, int | float | str | bool]:
    """Read the arguments, with scikit-learn's defaults."""
    parser = argparse.ArgumentParser(description="Train a random forest on images of digits.")
    parser.add_argument("--n_estimators", type=int, default=100, help="trees in the forest")
    parser.add_argument("--max_features", type=float, default=0.125, help="share of the pixels a split sees")
    parser.add_argument("--min_samples_leaf", type=int, default=1)
    parser.add_argument("--min_samples_split", type=int, default=2)
    parser.add_argument("--criterion", default="gini")
    parser.add_argument("--bootstrap", type=lambda text: text == "True", default=True)
    parser.add_argument("--max_samples", type=float, help="share of the images a tree sees, with bootstrap")
    return vars(parser.parse_args())


if __name__ == "__main__":
    forest = RandomForestClassifier(random_state=0, **parse_hyperparameters())
    scores = cross_val_score(forest, *load_digits(return_X_y=True), cv=3)
    print(f"accuracy={scores.mean():.6f}")
