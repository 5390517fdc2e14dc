"""Drivers of the core: what feeds it frames and carries its actions out."""
