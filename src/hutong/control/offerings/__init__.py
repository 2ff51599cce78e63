"""Offerings (面向区域的共享): one act that offers a resource to a zone, to all members, or into a superior's node."""
