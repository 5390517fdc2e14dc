"""The control API: accounts, markets, truth, clock and faults, on a port and a token of its own.

`orders` is what may be asked for, `markets` makes and shows markets, `access` lets in, `app`
serves. The shapes are documented in docs/polyvenue-control.md and numbered by `app.SCHEMA`.
"""
