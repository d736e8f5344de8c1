"""Train a small neural network on the progression of diabetes, epoch by epoch, as a SageMaker training job.

It is called with hyperparameters as arguments, and runs alone as well: `python train.py --hidden 32`. What
it needs to go on after an interruption it writes to the folder in `CHECKPOINTS`, where that is set.
"""

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a neural network on the progression of diabetes.")
    parser.add_argument("--hidden", type=int, default=32, help="units of the hidden layer")
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--l2", type=float, default=0.01, help="strength of the regularization")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=30)
    return parser.parse_args()


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the measurements and the progression of each patient, from channel `train`."""
    folder = Path(os.environ.get("SM_CHANNEL_TRAIN", HERE / "data"))
    table = np.loadtxt(folder / f"{name}.csv", delimiter=",", skiprows=1)
    return table[:, 1:], table[:, 0]


def main() -> None:
    given = parse_arguments()
    measured, progression = load("train")
    scaler = StandardScaler().fit(measured)
    mean, spread = progression.mean(), progression.std()
    new_measured, new_progression = load("validation")

    network = MLPRegressor(
        hidden_layer_sizes=(given.hidden,),
        learning_rate_init=given.learning_rate,
        alpha=given.l2,
        batch_size=given.batch_size,
        random_state=0,
    )
    first = 1
    checkpoint = Path(os.environ["CHECKPOINTS"], "network.joblib") if "CHECKPOINTS" in os.environ else None
    if checkpoint and checkpoint.exists():
        epoch, network = joblib.load(checkpoint)
        first = epoch + 1
        print(f"going on after epoch {epoch}")

    for epoch in range(first, given.epochs + 1):
        network.partial_fit(scaler.transform(measured), (progression - mean) / spread)
        predicted = network.predict(scaler.transform(new_measured)) * spread + mean
        rmse = np.sqrt(np.mean((predicted - new_progression) ** 2))
        print(f"epoch={epoch} loss={network.loss_:.6f} rmse={rmse:.4f}", flush=True)
        if checkpoint:
            draft = checkpoint.with_suffix(".draft")
            joblib.dump((epoch, network), draft)
            draft.replace(checkpoint)  # in one step: half a checkpoint is none

    if folder := os.environ.get("SM_MODEL_DIR"):
        model = {"scaler": scaler, "network": network, "mean": mean, "spread": spread}
        joblib.dump(model, Path(folder) / "model.joblib")


if __name__ == "__main__":
    main()
