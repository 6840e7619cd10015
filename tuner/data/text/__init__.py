"""Text tables as people have them: encoding, lines, separators, names, values."""
