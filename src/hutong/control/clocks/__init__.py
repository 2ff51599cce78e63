"""The statutory clocks: what is due, by whom and when."""
