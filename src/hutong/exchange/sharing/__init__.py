"""The Delta Sharing protocol, for the tools people have: a share is an agreement, read at one's own node."""
