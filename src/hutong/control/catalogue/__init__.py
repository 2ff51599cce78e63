"""Resources we offer and the entries other members published."""
