"""The node's transparency log: tiles, checkpoints, witnesses, receipts, verification."""
