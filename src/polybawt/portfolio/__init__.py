"""What is ours: the ledger, positions and their cost, profit and loss, settlement. Pure."""
