"""microtome.clara and its io: names, devices and sample types."""

import pickle

import microtome
import pytest
from microtome import clara
from microtome.clara import CuImage, DLDataType, DLDataTypeCode
from microtome.clara.io import Device, DeviceType


def test_names():
    assert clara.CuImage is microtome.CuImage is CuImage
    assert microtome.clara is clara
    assert set(clara.__all__) == {"CuImage", "DLDataType", "DLDataTypeCode", "cache", "filesystem", "io"}
    for name in clara.__all__:
        assert hasattr(clara, name)


def test_device_types():
    assert {kind.name: kind.value for kind in DeviceType} == {
        "CPU": 1,
        "CUDA": 2,
        "CUDAHost": 3,
        "CUDAManaged": 13,
        "CPUShared": 101,
        "CUDAShared": 102,
    }


@pytest.mark.parametrize(
    ("name", "kind", "index"),
    [
        ("cpu", DeviceType.CPU, -1),
        ("cpu:0", DeviceType.CPU, 0),
        ("cuda", DeviceType.CUDA, -1),
        ("cuda:1", DeviceType.CUDA, 1),
        ("cuda_host", DeviceType.CUDAHost, -1),
    ],
)
def test_devices(name, kind, index):
    device = Device(name)
    assert (device.type, device.index, repr(device), str(device)) == (kind, index, name, name)
    assert device == Device(name) and hash(device) == hash(Device(name))
    assert device != Device("cuda:7") and device != name
    assert pickle.loads(pickle.dumps(device)) == device


def test_parse_type():
    assert Device.parse_type("cuda") is DeviceType.CUDA
    assert Device.parse_type("cuda_managed") is DeviceType.CUDAManaged
    for word in ("gpu", "CUDA", "", "cuda:1"):
        for kind in (ValueError, RuntimeError):
            with pytest.raises(kind, match="is none; expected cpu, cuda"):
                Device.parse_type(word)


def test_what_is_no_device():
    for word in ("gpu", "CPU", "", "cuda:", "cuda:-1", "cuda 1"):
        for kind in (ValueError, RuntimeError):
            with pytest.raises(kind, match="is none"):
                Device(word)
    with pytest.raises(TypeError, match="expected a name such as 'cpu'"):
        Device(0)


def test_data_types():
    assert {code.name: code.value for code in DLDataTypeCode} == {
        "DLInt": 0,
        "DLUInt": 1,
        "DLFloat": 2,
        "DLBfloat": 4,
    }
    found = DLDataType(DLDataTypeCode.DLFloat, 32, 1)
    assert (found.code, found.bits, found.lanes) == (DLDataTypeCode.DLFloat, 32, 1)
    assert repr(found) == "<cucim.clara.DLDataType code:DLFloat(2) bits:32 lanes:1>"
    assert found == DLDataType(2, 32, 1) != DLDataType(2, 64, 1)
    assert hash(found) == hash(DLDataType(2, 32, 1))
    assert pickle.loads(pickle.dumps(found)) == found
