"""Adapters: the run-time half for one framework each."""
