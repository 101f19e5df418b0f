"""The networks that are pruned."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Network = Literal["lenet300", "conv4", "resnet20"]


def build(network: Network, shape: tuple[int, int, int], n_classes: int, *, batch_norm: bool = False) -> nn.Module:
    """A network for images of a shape (channels, height, width); ``batch_norm`` is for LeNet300 and Conv4."""
    if network == "lenet300":
        return lenet300(shape[0] * shape[1] * shape[2], n_classes, batch_norm=batch_norm)
    if network == "conv4":
        return conv4(shape, n_classes, batch_norm=batch_norm)
    return ResNet20(shape[0], n_classes)


def lenet300(n_inputs: int, n_classes: int = 10, *, batch_norm: bool = False) -> nn.Sequential:
    """Two hidden layers of 300 and 100 units."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inner, outer in ((n_inputs, 300), (300, 100)):
        layers += [nn.Linear(inner, outer), *([nn.BatchNorm1d(outer)] if batch_norm else []), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(100, n_classes))


def conv4(shape: tuple[int, int, int], n_classes: int = 10, *, batch_norm: bool = False) -> nn.Sequential:
    """Four 3x3 convolutions of 64, 64, 128 and 128 channels in two blocks, and three linear layers."""
    channels, height, width = shape
    layers: list[nn.Module] = []
    for outer in (64, 128):
        for inner in (channels, outer):
            layers += [nn.Conv2d(inner, outer, 3, padding=1), *([nn.BatchNorm2d(outer)] if batch_norm else [])]
            layers.append(nn.ReLU())
        layers.append(nn.MaxPool2d(2))
        channels = outer
    flat = channels * (height // 4) * (width // 4)
    head = (nn.Linear(flat, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, n_classes))
    return nn.Sequential(*layers, nn.Flatten(), *head)


class _Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is padded with zero channels where the size changes."""

    def __init__(self, inner: int, outer: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inner, outer, 3, stride, 1, bias=False)
        self.norm1, self.relu1 = nn.BatchNorm2d(outer), nn.ReLU()
        self.conv2 = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.norm2, self.relu2 = nn.BatchNorm2d(outer), nn.ReLU()
        self.stride, self.extra = stride, (outer - inner) // 2

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        short = x if self.stride == 1 else x[:, :, ::2, ::2]
        if self.extra:
            short = nn.functional.pad(short, [0, 0, 0, 0, self.extra, self.extra])
        return self.relu2(y + short)


class ResNet20(nn.Module):
    """The CIFAR form of He et al. (2016): three stages of three blocks, 16, 32 and 64 channels; 0.27 M parameters."""

    def __init__(self, channels: int = 3, n_classes: int = 10):
        super().__init__()
        self.conv = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.norm, self.relu = nn.BatchNorm2d(16), nn.ReLU()
        sizes = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.Sequential(*(_Block(*size) for size in sizes))
        self.head = nn.Linear(64, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of images."""
        return self.head(self.blocks(self.relu(self.norm(self.conv(x)))).mean(dim=(2, 3)))


def published_initial_values(model: nn.Module) -> None:
    """As the official script starts: Xavier-normal weights, N(0, 1) biases, normalisation scales N(1, 0.02)."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_normal_(module.weight)
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
