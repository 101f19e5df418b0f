"""The libraries that ``benchmarks/circuits.py`` compares with, one a file, each in the best configuration found.

Each file has ``build(n_qubits, batch) -> Step`` for the workload of :mod:`problem`. What was tried is said in each file.
"""
