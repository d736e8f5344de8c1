"""Classify images of digits by their nearest neighbours, and print the score on images not seen."""

import argparse

from digits import score
from sklearn.neighbors import KNeighborsClassifier


def main() -> None:
    """Read the arguments, train, and print the macro F1."""
    parser = argparse.ArgumentParser(description="Classify images of digits by their nearest neighbours.")
    parser.add_argument("--n-neighbors", type=int, default=5, help="neighbours that vote")
    parser.add_argument("--weights", choices=["uniform", "distance"], default="uniform")
    parser.add_argument("--p", type=float, default=2.0, help="power of the Minkowski distance")
    parser.add_argument("--seed", type=int, help="of no meaning here: nothing is drawn")
    given = vars(parser.parse_args())
    del given["seed"]
    print(f"macro F1 = {score(KNeighborsClassifier(**given)):.6f}")


if __name__ == "__main__":
    main()
