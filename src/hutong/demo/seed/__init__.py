"""What the demonstration's departments hold: invented, and the same on every machine.

People have birth dates that no calendar has (30 February, 31 April), telephone numbers of a range that
no operator was given, and organisation codes of a block that no registry issues. Nobody real is here.
"""
