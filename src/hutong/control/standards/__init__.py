"""Data elements, code tables and code maps: what a field means in the region."""
