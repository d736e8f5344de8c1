"""Train a random forest on images of digits, and print its score on images it has not seen."""

import argparse

from digits import score
from sklearn.ensemble import RandomForestClassifier


def main() -> None:
    """Read the arguments, train, and print the macro F1."""
    parser = argparse.ArgumentParser(description="Train a random forest on images of digits.")
    parser.add_argument("--n-estimators", type=int, default=100, help="trees in the forest")
    parser.add_argument("--max-depth", type=int, help="levels of a tree; no limit by default")
    parser.add_argument("--max-features", type=float, default=0.125, help="share of the pixels a split sees")
    parser.add_argument("--seed", type=int, default=0, dest="random_state", help="of the forest")
    print(f"f1: {score(RandomForestClassifier(**vars(parser.parse_args()))):.6f}")


if __name__ == "__main__":
    main()
