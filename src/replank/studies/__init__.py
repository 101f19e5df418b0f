"""Published systems, one folder each; found by looking, see :mod:`replank.discovery`."""
