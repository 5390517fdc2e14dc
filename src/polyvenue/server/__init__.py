"""The servers: one process, one asyncio loop, one loopback port for HTTP and WebSockets.

`venue` ties the exchange to time, oracle and metadata; `http` and `sockets` carry bytes; every
request and every frame passes the `gate`.
"""
