"""The papers whose parts are hosted here; the studies of those papers take them from here too."""

from __future__ import annotations

from replank.sources import Paper

WANG2024CREEP = Paper(
    key="wang2024creep",
    title="Let the Quantum Creep In: Designing Quantum Neural Network Models by Gradually Swapping Out Classical "
    "Components",
    authors=("Wang", "Myers", "Hollenberg", "Parampalli"),
    year=2024,
    arxiv="2409.17583",
    code="https://github.com/peiyong-addwater/Let-The-Quantum-Creep-In (MIT)",
)

HENDERSON2020 = Paper(
    key="henderson2020quanvolutional",
    title="Quanvolutional neural networks: powering image recognition with quantum circuits",
    authors=("Henderson", "Shakya", "Pradhan", "Cook"),
    year=2020,
    arxiv="1904.04767",
)

SENOKOSOV2024 = Paper(
    key="senokosov2024image",
    title="Quantum machine learning for image classification",
    authors=("Senokosov", "Sedykh", "Sagingalieva", "Kyriacou", "Melnikov"),
    year=2024,
    arxiv="2304.09224",
)
