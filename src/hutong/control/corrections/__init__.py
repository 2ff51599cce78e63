"""Reports that a record is wrong, from the consumer back to the source and on to every subscriber."""
