"""Circuits evaluated gate by gate with dense matrices: slow, obvious, differentiable, and the oracle of all the rest.

Nothing here is planned, lowered or compiled. A circuit is a density matrix in branches, one for each record of its
measurements; a pure circuit is a batch of state vectors. Qubit 0 is the most significant bit of an index.
"""

from __future__ import annotations

import torch
from torch import Tensor

from replank.circuits.circuit import Circuit
from replank.circuits.gates import GATES, pauli_matrix
from replank.circuits.observables import (
    DensityMatrix,
    Observable,
    PauliSum,
    Probabilities,
    Projector,
    State,
)
from replank.circuits.operations import (
    Channel,
    Diagonal,
    Gate,
    Measure,
    Operation,
    PauliRotation,
    PostSelect,
    PrepareAmplitudes,
    PrepareProduct,
    Reset,
    Unitary,
)

_PROJECTORS = (torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
_LOWER = torch.tensor([[0.0, 1.0], [0.0, 0.0]])


def state(circuit: Circuit, features: Tensor, parameters: Tensor) -> Tensor:
    """Amplitudes of a circuit without measurements, resets and channels; normalised after each post-selection.

    Shape: ``features`` ``(B, n_features)``, ``parameters`` ``(n_parameters,)``; the result is ``(B, 2^n)``, complex.

    Raises:
        ValueError: the circuit does not stay pure.
    """
    states = torch.zeros(len(features), 2**circuit.n_qubits, dtype=features.dtype.to_complex(), device=features.device)
    states[:, 0] = 1
    for operation in circuit:
        match operation:
            case Measure() | Reset() | Channel():
                raise ValueError(f"state: the circuit must stay pure, got {operation.label}. Use density_matrix.")
            case PostSelect(value=value):
                kept = apply(states, _PROJECTORS[value].to(states), operation.wires)
                states = kept / torch.linalg.vector_norm(kept, dim=1, keepdim=True)
            case PrepareAmplitudes() | PrepareProduct():
                states = _prepare(states, _amplitudes(operation, features, parameters), operation.wires)
            case _:
                states = apply(states, operation_matrix(operation, features, parameters), operation.wires)
    return states


def unitary(circuit: Circuit, features: Tensor | None = None, parameters: Tensor | None = None) -> Tensor:
    """The circuit's matrix for one sample: ``features`` ``(n_features,)``, ``parameters`` ``(n_parameters,)``.

    Returns:
        ``(2^n, 2^n)``, complex128 unless the arguments say otherwise.

    Raises:
        ValueError: an operation is not unitary.
    """
    features = torch.zeros(0, dtype=torch.float64) if features is None else features
    parameters = torch.zeros(0, dtype=features.dtype) if parameters is None else parameters
    columns = torch.eye(2**circuit.n_qubits, dtype=features.dtype.to_complex())
    for operation in circuit:
        columns = apply(columns, operation_matrix(operation, features[None], parameters), operation.wires)
    return columns.mT


def density_matrix(circuit: Circuit, features: Tensor, parameters: Tensor) -> Tensor:
    """The final density matrix for one sample, whatever the circuit holds; of trace 1.

    Shape: ``features`` ``(n_features,)``, ``parameters`` ``(n_parameters,)``; the result is ``(2^n, 2^n)``, complex.
    """
    dtype = features.dtype.to_complex()
    start = torch.zeros(2**circuit.n_qubits, 2**circuit.n_qubits, dtype=dtype)
    start[0, 0] = 1
    branches: dict[frozenset[str], Tensor] = {frozenset(): start}  # the measurements that gave 1 -> weighted matrix
    for operation in circuit:
        new: dict[frozenset[str], Tensor] = {}
        for ones, rho in branches.items():
            for key, matrix in _steps(operation, ones, rho, features, parameters):
                new[key] = new[key] + matrix if key in new else matrix
        branches = new
    total = torch.stack(list(branches.values())).sum(0)
    return total / total.diagonal().sum()


def _steps(
    operation: Operation, ones: frozenset[str], rho: Tensor, features: Tensor, parameters: Tensor
) -> list[tuple[frozenset[str], Tensor]]:
    """What an operation makes of one branch."""
    wires = operation.wires
    if operation.when is not None and operation.when not in ones:
        return [(ones, rho)]
    kraus: tuple[Tensor, ...]
    match operation:
        case Measure(key=key):
            outcomes = (ones, ones | {key})
            return [(o, _sandwich(rho, p.to(rho), wires)) for o, p in zip(outcomes, _PROJECTORS, strict=True)]
        case Reset():
            kraus = (_PROJECTORS[0].to(rho), _LOWER.to(rho))
        case PostSelect(value=value):
            kraus = (_PROJECTORS[value].to(rho),)
        case Channel(kraus=matrices):
            kraus = tuple(torch.tensor(matrix).to(rho) for matrix in matrices)
        case PrepareAmplitudes() | PrepareProduct():
            amplitudes = _amplitudes(operation, features[None], parameters)
            half = _prepare(rho.mT, amplitudes, wires).mT  # the wires are in 0, so that the columns are enough
            return [(ones, _prepare(half.conj(), amplitudes, wires).conj())]
        case _:
            kraus = (operation_matrix(operation, features[None], parameters)[0],)
    return [(ones, torch.stack([_sandwich(rho, k, wires) for k in kraus]).sum(0))]


def _sandwich(rho: Tensor, matrix: Tensor, wires: tuple[int, ...]) -> Tensor:
    """``K rho K^+``."""
    left = apply(rho.mT, matrix, wires).mT
    return apply(left.conj(), matrix, wires).conj()


def operation_matrix(operation: Operation, features: Tensor, parameters: Tensor) -> Tensor:
    """The matrices of a unitary operation, ``(B, d, d)`` or ``(1, d, d)``.

    Raises:
        ValueError: the operation is not unitary.
    """
    dtype = features.dtype.to_complex()
    angles = [angle.evaluate(features, parameters).expand(len(features)) for angle in operation.angles]
    match operation:
        case Gate(name=name):
            empty = features.new_zeros(len(features), 0)
            return GATES[name].matrix((torch.stack(angles, -1) if angles else empty).to(dtype))
        case PauliRotation(letters=letters):
            # not by torch.matrix_exp, which is off by 1e-10 for single small matrices
            half, pauli = angles[0][:, None, None] / 2, pauli_matrix(letters).to(features.device, dtype)
            return half.cos() * torch.eye(len(pauli)).to(pauli) - 1j * half.sin() * pauli
        case Unitary(matrix=matrix):
            return torch.tensor(matrix).to(features.device, dtype)[None]
        case Diagonal(phases=phases):
            return torch.diag(torch.exp(1j * torch.tensor(phases))).to(features.device, dtype)[None]
    raise ValueError(f"operation_matrix: only unitary operations have a matrix, got {operation.label}.")


def apply(states: Tensor, matrix: Tensor, wires: tuple[int, ...]) -> Tensor:
    """Apply matrices ``(d, d)`` or ``(B, d, d)`` to some qubits of states ``(B, 2^n)``."""
    n, k = (states.shape[-1]).bit_length() - 1, len(wires)
    axes = [1 + wire for wire in wires]
    rest = [axis for axis in range(1, n + 1) if axis not in axes]
    front = states.reshape(-1, *[2] * n).permute(0, *axes, *rest).reshape(len(states), 2**k, 2 ** (n - k))
    moved = (matrix @ front).reshape(-1, *[2] * n)
    order = [0, *axes, *rest]
    return moved.permute(*[order.index(axis) for axis in range(n + 1)]).reshape(-1, 2**n)


def _amplitudes(operation: Operation, features: Tensor, parameters: Tensor) -> Tensor:
    """The prepared amplitudes, ``(B or 1, 2^k)``."""
    dtype = features.dtype.to_complex()
    if isinstance(operation, PrepareProduct):
        amplitudes = torch.ones(1, 1, dtype=dtype)
        for row in torch.tensor(operation.states).to(dtype):
            amplitudes = torch.kron(amplitudes, row[None])
        return amplitudes
    assert isinstance(operation, PrepareAmplitudes)
    if not operation.angles:
        return torch.tensor(operation.amplitudes).to(dtype)[None]
    values = [angle.evaluate(features, parameters).expand(len(features)) for angle in operation.angles]
    padded = torch.nn.functional.pad(torch.stack(values, -1), (0, 2 ** len(operation.wires) - len(values)))
    return (padded / torch.linalg.vector_norm(padded, dim=-1, keepdim=True)).to(dtype)


def _prepare(states: Tensor, amplitudes: Tensor, wires: tuple[int, ...]) -> Tensor:
    """Put qubits that are in 0 into given states: a matrix with the amplitudes as its first column does it."""
    columns = torch.zeros(*amplitudes.shape, amplitudes.shape[-1], dtype=amplitudes.dtype)
    columns[..., 0] = amplitudes
    return apply(states, columns, wires)


def expectation(observable: Observable, rho: Tensor) -> Tensor:
    """What an observable gives on a density matrix ``(2^n, 2^n)``; samples and states are not defined on one.

    Raises:
        ValueError: the observable is a state or samples.
    """
    n = len(rho).bit_length() - 1
    match observable:
        case PauliSum(terms):
            total = rho.new_zeros(()).real
            for word, coefficient in terms:
                letters = dict(word)
                matrix = pauli_matrix("".join(letters.get(wire, "I") for wire in range(n))).to(rho)
                total = total + coefficient * (matrix @ rho).diagonal().sum().real
            return total
        case DensityMatrix(wires):
            return _reduced(rho, wires)
        case Probabilities(wires):
            return _reduced(rho, tuple(range(n)) if wires is None else wires).diagonal().real
        case Projector(bits, wires):
            index = int("".join(map(str, bits)), 2)
            return _reduced(rho, wires).diagonal().real[index]
        case State():
            raise ValueError("expectation: a density matrix has no state vector. Use state(circuit, ...).")
    raise ValueError(f"expectation: not defined for {observable}.")


def _reduced(rho: Tensor, wires: tuple[int, ...]) -> Tensor:
    """Trace out all qubits but ``wires``, which keep their order."""
    n, k = len(rho).bit_length() - 1, len(wires)
    rest = [wire for wire in range(n) if wire not in wires]
    rows = [*wires, *rest]
    bits = rho.reshape(*[2] * (2 * n)).permute(*rows, *[n + wire for wire in rows])
    return torch.einsum("iaja->ij", bits.reshape(2**k, 2 ** (n - k), 2**k, 2 ** (n - k)))
