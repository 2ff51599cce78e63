"""Agreements by subscription: what begins and ends the sending of changes, and what people see of it."""
