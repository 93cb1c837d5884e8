"""Checks that dagster.yaml declares: run after the tool has written, on read-only connections of their own."""
