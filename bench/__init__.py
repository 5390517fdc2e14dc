"""Our speed and memory beside other projects (`make bench`). Read docs/benchmarks.md first."""
