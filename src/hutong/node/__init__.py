"""One jurisdiction's installation: settings, keys, directory, messages, server, command line."""
