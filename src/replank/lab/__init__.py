"""How studies are said, run, kept, judged and shown.

``study``, ``trial`` and ``claim`` say what is compared; ``run``, ``job`` and ``executors`` run it; ``recording`` writes
down what came of a trial; ``ledger`` keeps it and ``records`` gives it back; ``training`` is the shared training loop;
``report`` shows.
"""
