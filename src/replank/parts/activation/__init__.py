"""What can replace an activation: functions of one number, applied to each element."""

from replank.parts._exports import exports

__getattr__, __dir__ = exports(__name__)
