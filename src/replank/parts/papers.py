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

SARKAR2024 = Paper(
    key="sarkar2024transfer",
    title="Quantum Transfer Learning for MNIST Classification Using a Hybrid Quantum-Classical Approach",
    authors=("Sarkar",),
    year=2024,
    arxiv="2408.03351",
)

WANG2024HAMILTONIAN = Paper(
    key="wang2024hamiltonian",
    title="Quantum Hamiltonian Embedding of Images for Data Reuploading Classifiers",
    authors=("Wang", "Myers", "Hollenberg", "Parampalli"),
    year=2024,
    arxiv="2407.14055",
    code="https://github.com/peiyong-addwater/HamEmbedding (no licence)",
)

CHEN2024FASTWEIGHTS = Paper(
    key="chen2024fastweights",
    title="Learning to Program Variational Quantum Circuits with Fast Weights",
    authors=("Chen",),
    year=2024,
    arxiv="2402.17760",
    code="https://github.com/ycchen1989/Quantum_FWP (no licence seen)",
)

CHEN2022RESERVOIR = Paper(
    key="chen2022reservoir",
    title="Reservoir Computing via Quantum Recurrent Neural Networks",
    authors=("Chen", "Fry", "Deshmukh", "Rastunkov", "Stefanski"),
    year=2022,
    arxiv="2211.02612",
    code="https://github.com/ycchen1989/FederatedQLSTM (MIT, the first author's QLSTM)",
)

CHEN2020QLSTM = Paper(
    key="chen2020qlstm",
    title="Quantum Long Short-Term Memory",
    authors=("Chen", "Yoo", "Fang"),
    year=2020,
    arxiv="2009.01783",
    code="https://github.com/ycchen1989/FederatedQLSTM (MIT)",
)

SHAHZAD2025 = Paper(
    key="shahzad2025hybrid",
    title="Hybrid Quantum-Classical Model for Image Classification",
    authors=("Shahzad",),
    year=2025,
    arxiv="2509.13353",
    code="https://github.com/adnanphp/Hybrid-Quantum-Classical (MIT)",
)

FARHI2018 = Paper(
    key="farhi2018classification",
    title="Classification with Quantum Neural Networks on Near Term Processors",
    authors=("Farhi", "Neven"),
    year=2018,
    arxiv="1802.06002",
)

REN2022 = Paper(
    key="ren2022adversarial",
    title="Experimental quantum adversarial learning with programmable superconducting qubits",
    authors=("Ren", "Li", "Xu", "et al."),
    year=2022,
    arxiv="2204.01738",
    code="https://github.com/LWKJJONAK/Quantum_Neural_Network_Classifiers (MIT, the second author's)",
)

LI2025DISTRIBUTED = Paper(
    key="li2025distributed",
    title="A Distributed Hybrid Quantum Convolutional Neural Network for Medical Image Classification",
    authors=("Li", "Qi", "Li", "Yang", "Shang", "Jiao"),
    year=2025,
    arxiv="2501.06225",
)

LUO2022 = Paper(
    key="luo2022autoregressive",
    title="Autoregressive Transformer Neural Network for Simulating Open Quantum Systems "
    "via a Probabilistic Formulation",
    authors=("Luo", "Chen", "Carrasquilla", "Clark"),
    year=2022,
    arxiv="2009.05580",
    doi="10.1103/PhysRevLett.128.090501",
    code="https://github.com/Rodin1000/POVM-Quantum-Simulation (MIT)",
)

GERMAIN2015 = Paper(
    key="germain2015made",
    title="MADE: Masked Autoencoder for Distribution Estimation",
    authors=("Germain", "Gregor", "Murray", "Larochelle"),
    year=2015,
    arxiv="1502.03509",
)

HARVEY2023 = Paper(
    key="harvey2023sequence",
    title="Sequence Processing with Quantum Tensor Networks",
    authors=("Harvey", "Yeung", "Meichanetzidis"),
    year=2023,
    arxiv="2308.07865",
)

KUNDU2024 = Paper(
    key="kundu2024protein",
    title="Application of Quantum Tensor Networks for Protein Classification",
    authors=("Kundu", "Ghosh", "Ekambaram", "Wang", "Dokholyan", "Ghosh"),
    year=2024,
    arxiv="2403.06890",
)

BHATTACHARJEE2024 = Paper(
    key="bhattacharjee2024extrapolation",
    title="Enhancing Quantum Variational Algorithms with Zero Noise Extrapolation via Neural Networks",
    authors=("Bhattacharjee", "Sarkar", "Das", "Sarkar"),
    year=2024,
    arxiv="2403.07025",
)

TEMME2017 = Paper(
    key="temme2017mitigation",
    title="Error mitigation for short-depth quantum circuits",
    authors=("Temme", "Bravyi", "Gambetta"),
    year=2017,
    arxiv="1612.02058",
)

ENDO2018 = Paper(
    key="endo2018practical",
    title="Practical Quantum Error Mitigation for Near-Future Applications",
    authors=("Endo", "Benjamin", "Li"),
    year=2018,
    arxiv="1712.09271",
)

CZARNIK2021 = Paper(
    key="czarnik2021clifford",
    title="Error mitigation with Clifford quantum-circuit data",
    authors=("Czarnik", "Arrasmith", "Coles", "Cincio"),
    year=2021,
    arxiv="2005.10189",
)
