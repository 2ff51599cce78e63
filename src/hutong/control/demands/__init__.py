"""What no catalogue holds yet: the lists of demands, of duties and of what may not be shared."""
