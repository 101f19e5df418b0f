"""Circuits that the field has a name for: embeddings, layers, tensor networks, convolution and pooling.

All follow one convention:

- A template returns a new :class:`~replank.circuits.Circuit` on the qubits 0, 1, ...; ``circuit.extend(template)``
  appends it, and ``template.on(wires, n_qubits)`` puts it on other qubits first.
- ``weights`` are what is trained. They are taken one after another, from ``theta[start]`` on unless said otherwise, in
  C order of the field's weight tensor. ``..._shape(...)`` gives that tensor's shape, so that ``tensor.flatten()`` can
  be passed as the circuit's parameters; a template that follows another begins at ``start=circuit.n_parameters``. A
  sequence of angles or numbers can be given instead of ``theta``; it must end with the last one that is used.
- ``features`` are a sample's data: ``x[0]``, ``x[1]``, ... unless said otherwise: ``x[3:6]``,
  ``[pi * x[0], pi * x[1]]``, numbers.
- Gates, qubit order and global phases are PennyLane's, except where a docstring says *Differs*.

Example:
    >>> from replank.circuits.templates import angle_embedding, strongly_entangling_layers, strongly_entangling_shape
    >>> circuit = angle_embedding(3, rotation="RY").extend(strongly_entangling_layers(3, 2))
    >>> circuit.n_features, circuit.n_parameters, strongly_entangling_shape(3, 2)
    (3, 18, (2, 3, 3))
"""

from replank.circuits.templates.arbitrary_unitary import arbitrary_unitary, arbitrary_unitary_shape
from replank.circuits.templates.arguments import Angles, Entangler, Rotation
from replank.circuits.templates.convolution import convolution_block, pooling_block, qcnn, qcnn_shape, qcnn_wires
from replank.circuits.templates.dense_qcnn import dense_qcnn, dense_qcnn_shape, dense_qcnn_wires
from replank.circuits.templates.embeddings import (
    amplitude_embedding,
    angle_embedding,
    basis_embedding,
    hamiltonian_embedding,
    iqp_embedding,
)
from replank.circuits.templates.interleaved import interleaved_blocks, interleaved_shape
from replank.circuits.templates.layers import (
    basic_entangler_layers,
    basic_entangler_shape,
    hardware_efficient_layers,
    hardware_efficient_shape,
    strongly_entangling_layers,
    strongly_entangling_shape,
)
from replank.circuits.templates.qaoa import qaoa_embedding, qaoa_embedding_shape, qaoa_layers, qaoa_shape
from replank.circuits.templates.random_gates import (
    Placement,
    place_gates,
    random_layers,
    random_shape,
    random_structure,
)
from replank.circuits.templates.readout_qubit import (
    majority_circuit,
    parity_circuit,
    parity_layer,
    parity_shape,
    readout_layers,
    readout_shape,
    reed_muller_circuit,
    reed_muller_products,
)
from replank.circuits.templates.sim_circuits import (
    iqp_layers,
    iqp_layers_shape,
    sim9_layers,
    sim9_shape,
    sim14_layers,
    sim14_shape,
)
from replank.circuits.templates.tensor_networks import (
    mera,
    mera_shape,
    mera_wires,
    mps,
    mps_shape,
    mps_wires,
    ttn,
    ttn_shape,
    ttn_wires,
)
from replank.circuits.templates.topology import Topology

__all__ = [
    "Angles",
    "Entangler",
    "Placement",
    "Rotation",
    "Topology",
    "amplitude_embedding",
    "angle_embedding",
    "arbitrary_unitary",
    "arbitrary_unitary_shape",
    "basic_entangler_layers",
    "basic_entangler_shape",
    "basis_embedding",
    "convolution_block",
    "dense_qcnn",
    "dense_qcnn_shape",
    "dense_qcnn_wires",
    "hamiltonian_embedding",
    "hardware_efficient_layers",
    "hardware_efficient_shape",
    "interleaved_blocks",
    "interleaved_shape",
    "iqp_embedding",
    "iqp_layers",
    "iqp_layers_shape",
    "majority_circuit",
    "mera",
    "mera_shape",
    "mera_wires",
    "mps",
    "mps_shape",
    "mps_wires",
    "parity_circuit",
    "parity_layer",
    "parity_shape",
    "place_gates",
    "pooling_block",
    "qaoa_embedding",
    "qaoa_embedding_shape",
    "qaoa_layers",
    "qaoa_shape",
    "qcnn",
    "qcnn_shape",
    "qcnn_wires",
    "random_layers",
    "random_shape",
    "random_structure",
    "readout_layers",
    "readout_shape",
    "reed_muller_circuit",
    "reed_muller_products",
    "sim9_layers",
    "sim9_shape",
    "sim14_layers",
    "sim14_shape",
    "strongly_entangling_layers",
    "strongly_entangling_shape",
    "ttn",
    "ttn_shape",
    "ttn_wires",
]
