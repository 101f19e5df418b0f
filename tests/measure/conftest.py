from __future__ import annotations

from hypothesis import settings

# torch's first calls take longer than hypothesis' default deadline; the same examples every time
settings.register_profile("measure", deadline=None, derandomize=True, max_examples=30)
settings.load_profile("measure")
