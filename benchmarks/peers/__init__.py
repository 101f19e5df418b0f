"""The libraries that ``benchmarks/circuits.py`` compares with, each in the best configuration found.

Each file has ``build(n_qubits, batch) -> Step`` for the workload of :mod:`problem`, and says what was tried.
"""
