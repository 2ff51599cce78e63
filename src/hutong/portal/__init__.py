"""Pages for officers, heads, stewards, supervisors and auditors."""
