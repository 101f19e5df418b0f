"""A convolution whose kernel is a product of one-way filters, in three dimensions."""

from __future__ import annotations

from replank.parts.convolution._plain_one_way import PlainOneWayFilters


class SeparableFilterConv3d(PlainOneWayFilters):
    """Convolution with a kernel that is a product of a filter across the channels and one along each axis.

    Replaces :class:`torch.nn.Conv3d` and takes its arguments.

    Shape: ``(B, in_channels, T, H, W) -> (B, out_channels, T', H', W')``, or without ``B``;
    dtype and device of the input.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: of the window.
        stride: of the window.
        padding: a number, one for each axis, ``"same"`` or ``"valid"``.
        dilation: of the window.
        groups: 1.
        bias: whether to add a learned bias, once, after the last stage.
        padding_mode: what to pad with, as in torch's layer.
        mode: ``"rank1"``, ``"cp"`` or ``"spatial"``, as of SeparableFilterConv2d.
        rank: number of terms of ``"cp"``;
            channels between the axes of ``"spatial"``, the output's unless given.
        gain: of the starting values; Kaiming's for ReLU unless given.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: another number of groups, an option that does not fit; in ``forward``, another number of channels.

    Source: as SeparableFilterConv2d, [boukraichi2023compression].
    """

    n_axes = 3
