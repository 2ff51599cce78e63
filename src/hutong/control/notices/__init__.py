"""What a person should know: shown in the portal, sent by e-mail."""
