"""Replies (答复): what the provider answers a request, who proposes it and who signs it."""
