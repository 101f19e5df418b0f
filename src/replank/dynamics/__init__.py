"""Dynamical systems: their equations, how they are solved, and what can be said of their solutions."""
