"""Bayesian optimization: the strategy, and the engine behind it as a sampler for any Optuna study.

The strategy imports nothing heavy. The engine, a Gaussian process in numpy and scipy, is imported when its
first proposal is due.
"""

from hpo.search.bayesian.strategy import Bayesian

__all__ = ["Bayesian"]
