"""What can go wrong, as a tree.

::

    ReplankError
    ├── UsageError (also ValueError)      the request can't be carried out as it stands; the command line exits with 2
    │   ├── UnknownName                   no such study, arm, scale, part, data set ...: says the nearest one
    │   ├── SlotError                     a slot is missing, ambiguous, tied or hooked
    │   ├── InterfaceMismatch             a part does not fit its slot
    │   ├── DataError                     data are missing, damaged or not usable
    │   │   └── MissingData               (also FileNotFoundError) a file is not there
    │   ├── CircuitCutError               a circuit can't be cut like this
    │   ├── ExtrapolationError            values at too few strengths of noise, or nothing fitted yet
    │   └── MissingExtra                  (also ImportError) an optional dependency is not installed
    ├── LedgerError                       the ledger can't be read or written; the command line exits with 2
    └── TrialError                        a trial can't give its measurements (recorded as failed; exit 1)

A part's own argument checks raise plain ``ValueError`` and ``TypeError``, as torch's layers do. Every message is
``<callable>: <law>, got <name>=<value>. <remedy>``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ReplankError(Exception):
    """Base of all errors that replank raises on purpose."""


class UsageError(ReplankError, ValueError):
    """The request can't be carried out as it stands."""


class SlotError(UsageError):
    """A slot does not exist, is ambiguous, or can't be replaced without changing something outside it."""


class InterfaceMismatch(UsageError):
    """A part does not have the interface of the slot it was put in."""


class DataError(UsageError):
    """Data are missing, damaged, or can't be used as asked."""


class MissingData(DataError, FileNotFoundError):
    """A file of data is not there."""


class CircuitCutError(UsageError):
    """A circuit can't be cut like this; the message lists the widths of the fragments that were found."""


class ExtrapolationError(UsageError):
    """There is too little to extrapolate from: too few strengths of noise, or nothing that has been fitted."""


class MissingExtra(UsageError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str):
        super().__init__(f'{what} needs the extra "{extra}": pip install "replank[{extra}]".')


class LedgerError(ReplankError):
    """The ledger can't be opened, read or written."""


class TrialError(ReplankError):
    """A trial can't give its measurements: it is recorded as failed, the others go on."""


class UnknownName(UsageError):
    """A name that is not among the known ones; the message names the nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        known = list(known)
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        some = ", ".join(known[:10]) + (f", ... ({len(known)} in all)" if len(known) > 10 else "")
        super().__init__(f"unknown {kind} {name!r}.{hint} Known: {some or 'none'}.")
        self.name = name
