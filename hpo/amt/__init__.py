"""SageMaker's Automatic Model Tuning (AMT): its tuning jobs as specs, and their trials as values."""
