"""The working-day calendar as data: what was loaded, from which file, when and by whom."""
