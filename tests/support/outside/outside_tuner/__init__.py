"""A package that brings kinds of its own to tuner: see ../outside_tuner-1.0.dist-info."""
