"""One file per strategy: its configuration, its decision, its registration line."""
