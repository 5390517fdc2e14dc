"""The tests of PolyBawt; a package, so that `python -m tests.vectors DIR` runs."""
