"""Return flow: data of an area, returned to that area by its superior."""
