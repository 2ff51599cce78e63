"""The rules in force: parameters as versioned data, decisions that can be replayed."""
