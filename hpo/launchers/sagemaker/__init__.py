"""Trials as training jobs of Amazon SageMaker."""
