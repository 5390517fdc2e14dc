"""What is ours: orders, double-entry ledger, positions, settlement. Integers only."""
