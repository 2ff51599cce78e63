"""The data plane: sources, shaping, formats, grants, and the two doors."""
