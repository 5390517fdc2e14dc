"""Watches a run from outside: audit trace, digest, report and summary. Changes nothing."""
