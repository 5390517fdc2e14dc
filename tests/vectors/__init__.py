"""The numeric vectors of the specification, and what maps their functions to product code."""
