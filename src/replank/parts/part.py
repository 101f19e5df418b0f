"""What every part that is a module promises, so that one contract suite can run over all of them."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from replank.sources import Source


class Part(nn.Module, abc.ABC):
    """A module that can fill a slot, with the conventions of the torch layer it replaces.

    The constructor takes the replaced layer's arguments by their names, then keyword-only extras, then ``device`` and
    ``dtype``. ``forward`` takes what the replaced layer takes, extra leading dimensions included, and draws no random
    numbers from global state.

    A group of parts (``linear``, ``convolution``, ...) derives its own abstract base from this class, which adds
    ``like``. To be tested by the group's contract suite, a part gives it small ``examples`` of itself, a slow and
    obvious ``reference`` to be compared with, and the ``parameter_formula`` that its documentation states.
    """

    source: ClassVar[Source]

    @classmethod
    @abc.abstractmethod
    def like(cls, old: nn.Module, **options: Any) -> Self:
        """A part with the interface, device and dtype of the module it replaces.

        Raises:
            TypeError: ``old`` is not a module of this group.
            ValueError: no such part has that interface.
        """

    @abc.abstractmethod
    def reset_parameters(self) -> None:
        """Draw the initial parameters anew, from torch's default generator, as torch's layers do."""

    @abc.abstractmethod
    def parameter_formula(self) -> int:
        """The number of parameters in closed form, from the constructor's arguments alone."""

    @abc.abstractmethod
    def reference(self, input: Tensor) -> Tensor:
        """The same output by another, slower and more obvious way: the oracle of the contract suite."""

    @classmethod
    @abc.abstractmethod
    def examples(cls) -> tuple[Mapping[str, Any], ...]:
        """Small sets of constructor arguments that between them reach every branch: the cases of the contract suite."""


def _whole(output: Any) -> Any:
    return output


def _alone(input: Tensor) -> tuple[Tensor, ...]:
    return (input,)


@dataclass(frozen=True)
class Group:
    """A group of parts: what they replace and how they are compared.

    Args:
        name: the folder's name.
        replaces: torch modules with this interface.
        base: abstract base class of the group's parts.
        example_input: a small random input that fits a given module of the group.
        same_size: the strongest classical part with a module's interface and no more than so many parameters.
        promised: what of a module's output all modules of the group give alike; by default the whole.
        arguments: how an example input is handed to the torch module; by default as it is, alone.
    """

    name: str
    replaces: tuple[type[nn.Module], ...]
    base: type[Part]
    example_input: Callable[[nn.Module], Tensor]
    same_size: Callable[[nn.Module, int], nn.Module]
    promised: Callable[[Any], Any] = _whole
    arguments: Callable[[Tensor], tuple[Tensor, ...]] = _alone

    def holds(self, module: nn.Module) -> bool:
        """Whether the module has this group's interface."""
        return isinstance(module, (*self.replaces, self.base))
