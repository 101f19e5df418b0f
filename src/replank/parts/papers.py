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

BOUKRAICHI2023 = Paper(
    key="boukraichi2023compression",
    title="A priori compression of convolutional neural networks for wave simulators",
    authors=("Boukraichi", "Akkari", "Casenave", "Ryckelynck"),
    year=2023,
    arxiv="2304.04964",
)

LEBEDEV2015 = Paper(
    key="lebedev2015speeding",
    title="Speeding-up Convolutional Neural Networks Using Fine-tuned CP-Decomposition",
    authors=("Lebedev", "Ganin", "Rakhuba", "Oseledets", "Lempitsky"),
    year=2015,
    arxiv="1412.6553",
)

JADERBERG2014 = Paper(
    key="jaderberg2014speeding",
    title="Speeding up Convolutional Neural Networks with Low Rank Expansions",
    authors=("Jaderberg", "Vedaldi", "Zisserman"),
    year=2014,
    arxiv="1405.3866",
)

HOWARD2017 = Paper(
    key="howard2017mobilenets",
    title="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
    authors=("Howard", "Zhu", "Chen", "Kalenichenko", "Wang", "Weyand", "Andreetto", "Adam"),
    year=2017,
    arxiv="1704.04861",
)

LI2023BANDLIMITED = Paper(
    key="li2023bandlimited",
    title="How Powerful are Shallow Neural Networks with Bandlimited Random Weights?",
    authors=("Li", "Sonoda", "Cao", "Wang", "Liang"),
    year=2023,
    arxiv="2008.08427",
)

RAHIMI2007 = Paper(
    key="rahimi2007features",
    title="Random Features for Large-Scale Kernel Machines",
    authors=("Rahimi", "Recht"),
    year=2007,
)

YU2016 = Paper(
    key="yu2016orthogonal",
    title="Orthogonal Random Features",
    authors=("Yu", "Suresh", "Choromanski", "Holtmann-Rice", "Kumar"),
    year=2016,
    arxiv="1610.09072",
)

BOLAGER2023 = Paper(
    key="bolager2023sampling",
    title="Sampling weights of deep neural networks",
    authors=("Bolager", "Burak", "Datar", "Sun", "Dietrich"),
    year=2023,
    arxiv="2306.16830",
)

RAMACHANDRAN2017 = Paper(
    key="ramachandran2017swish",
    title="Searching for Activation Functions",
    authors=("Ramachandran", "Zoph", "Le"),
    year=2017,
    arxiv="1710.05941",
)

ZIYIN2020 = Paper(
    key="ziyin2020snake",
    title="Neural Networks Fail to Learn Periodic Functions and How to Fix It",
    authors=("Ziyin", "Hartwig", "Ueda"),
    year=2020,
    arxiv="2006.08195",
)

JAGTAP2020 = Paper(
    key="jagtap2020adaptive",
    title="Adaptive activation functions accelerate convergence in deep and physics-informed neural networks",
    authors=("Jagtap", "Kawaguchi", "Karniadakis"),
    year=2020,
    arxiv="1906.01170",
)

SITZMANN2020 = Paper(
    key="sitzmann2020siren",
    title="Implicit Neural Representations with Periodic Activation Functions",
    authors=("Sitzmann", "Martel", "Bergman", "Lindell", "Wetzstein"),
    year=2020,
    arxiv="2006.09661",
)

ORTIZ2024 = Paper(
    key="ortiz2024mip",
    title="Magnitude Invariant Parametrizations Improve Hypernetwork Learning",
    authors=("Gonzalez Ortiz", "Guttag", "Dalca"),
    year=2024,
    arxiv="2304.07645",
    code="https://github.com/JJGO/hyperlight (Apache-2.0)",
)

CHANG2020 = Paper(
    key="chang2020hypernetworks",
    title="Principled Weight Initialization for Hypernetworks",
    authors=("Chang", "Flokas", "Lipson"),
    year=2020,
)

BECK2022 = Paper(
    key="beck2022hypernetworks",
    title="Hypernetworks in Meta-Reinforcement Learning",
    authors=("Beck", "Jackson", "Vuorio", "Whiteson"),
    year=2022,
    arxiv="2210.11348",
)

HA2016 = Paper(
    key="ha2016hypernetworks",
    title="HyperNetworks",
    authors=("Ha", "Dai", "Le"),
    year=2016,
    arxiv="1609.09106",
)

HE2015 = Paper(
    key="he2015rectifiers",
    title="Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification",
    authors=("He", "Zhang", "Ren", "Sun"),
    year=2015,
    arxiv="1502.01852",
)

GLOROT2010 = Paper(
    key="glorot2010difficulty",
    title="Understanding the difficulty of training deep feedforward neural networks",
    authors=("Glorot", "Bengio"),
    year=2010,
)

SAXE2014 = Paper(
    key="saxe2014exact",
    title="Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    authors=("Saxe", "McClelland", "Ganguli"),
    year=2014,
    arxiv="1312.6120",
)

HOOPES2021 = Paper(
    key="hoopes2021hypermorph",
    title="HyperMorph: Amortized Hyperparameter Learning for Image Registration",
    authors=("Hoopes", "Hoffmann", "Fischl", "Guttag", "Dalca"),
    year=2021,
    arxiv="2101.01035",
)

BERMEITINGER2024 = Paper(
    key="bermeitinger2024minimum",
    title="Reducing the Transformer Architecture to a Minimum",
    authors=("Bermeitinger", "Hrycej", "Pavone", "Kath", "Handschuh"),
    year=2024,
    arxiv="2410.13732",
)

LIU2023ACTIVATE = Paper(
    key="liu2023activate",
    title="AP: Selective Activation for De-sparsifying Pruned Networks",
    authors=("Liu", "Ghosh", "Tan", "Motani"),
    year=2023,
    arxiv="2212.06145",
    code="https://github.com/Martin1937/Activate-While-Pruning (no licence)",
)

HAN2015 = Paper(
    key="han2015both",
    title="Learning both Weights and Connections for Efficient Neural Networks",
    authors=("Han", "Pool", "Tran", "Dally"),
    year=2015,
    arxiv="1506.02626",
)

MOLCHANOV2017 = Paper(
    key="molchanov2017pruning",
    title="Pruning Convolutional Neural Networks for Resource Efficient Inference",
    authors=("Molchanov", "Tyree", "Karras", "Aila", "Kautz"),
    year=2017,
    arxiv="1611.06440",
)

LEE2021LAMP = Paper(
    key="lee2021lamp",
    title="Layer-adaptive sparsity for the Magnitude-based Pruning",
    authors=("Lee", "Park", "Mo", "Ahn", "Shin"),
    year=2021,
    arxiv="2010.07611",
)

ALUVIHARE2025 = Paper(
    key="aluvihare2025stnn",
    title="A Low-complexity Structured Neural Network to Realize States of Dynamical Systems",
    authors=("Aluvihare", "Lingsch", "Li", "Perera"),
    year=2025,
    arxiv="2503.23697",
)

YIN2021LEADS = Paper(
    key="yin2021leads",
    title="LEADS: Learning Dynamical Systems that Generalize Across Environments",
    authors=("Yin", "Ayed", "de Bézenac", "Baskiotis", "Gallinari"),
    year=2021,
    arxiv="2106.04546",
    code="https://github.com/yuan-yin/LEADS (MIT)",
)

BRUNTON2016SINDY = Paper(
    key="brunton2016sindy",
    title="Discovering governing equations from data by sparse identification of nonlinear dynamical systems",
    authors=("Brunton", "Proctor", "Kutz"),
    year=2016,
    arxiv="1509.03580",
)

BRUNTON2017HAVOK = Paper(
    key="brunton2017havok",
    title="Chaos as an intermittently forced linear system",
    authors=("Brunton", "Brunton", "Proctor", "Kaiser", "Kutz"),
    year=2017,
    arxiv="1608.05306",
)

SCHMID2010 = Paper(
    key="schmid2010dmd",
    title="Dynamic mode decomposition of numerical and experimental data",
    authors=("Schmid",),
    year=2010,
    doi="10.1017/S0022112010001217",
)

ARBABI2017 = Paper(
    key="arbabi2017hankel",
    title="Ergodic theory, dynamic mode decomposition and computation of spectral properties of the Koopman operator",
    authors=("Arbabi", "Mezić"),
    year=2017,
    arxiv="1611.06664",
)
