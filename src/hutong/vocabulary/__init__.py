"""Words every part of Hutong shares. Pure: imports nothing of ours."""
