"""Ordered faults: what to do wrong, to which request, frame, trade, job, wallet or market.

`spec` says what a fault is, `match` when it strikes, `http`, `ws`, `edits` and `orders` what it
does, `gate` puts them before every request and every frame of a server.
"""
