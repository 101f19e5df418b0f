"""Three small models of different kinds, each with a linear slot called ``head``."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn


def mlp() -> nn.Module:
    return nn.Sequential(OrderedDict(body=nn.Linear(6, 8), act=nn.Tanh(), head=nn.Linear(8, 3)))


def cnn() -> nn.Module:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 4, 3),
            norm=nn.BatchNorm2d(4),
            drop=nn.Dropout(0.3),
            flatten=nn.Flatten(),
            head=nn.Linear(4 * 16, 3),
            last=nn.Linear(3, 3),
        )
    )


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.1)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * self.head(self.encoder(x).mean(1))


@dataclass(frozen=True)
class Host:
    build: type | object
    shape: tuple[int, ...]

    def example(self, n: int = 5) -> Tensor:
        return torch.randn(n, *self.shape, generator=torch.Generator().manual_seed(3))


HOSTS = {"mlp": Host(mlp, (6,)), "cnn": Host(cnn, (1, 6, 6)), "transformer": Host(Encoder, (4, 8))}
