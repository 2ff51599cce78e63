"""Share requests, from draft to the head of the sharing body, to the provider."""
