"""Devices, as ``cucim.clara.io`` has them."""

from .._cucim.values import Device, DeviceType

__all__ = ["Device", "DeviceType"]
