"""The only place that joins spec, store, strategy and launcher."""
