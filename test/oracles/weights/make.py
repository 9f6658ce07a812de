"""Makes the files of weights beside this file, and expected.json: python make.py (needs torch, numpy and safetensors).

Every file is opened again by PyTorch itself, and what it finds there is what expected.json holds: little-endian bytes of
the contiguous tensor, in base64.
"""

import base64
import hashlib
import io
import json
import pathlib
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
expected = {}


def raw(tensor):
    values = torch.empty(tensor.numel(), dtype=tensor.dtype).copy_(tensor.detach().reshape(-1))
    return values.view(torch.uint8).numpy().tobytes()


def expect(name, container, tensors):
    expected[name] = {
        "format": container,
        "tensors": {
            key: {
                "dtype": NAMES[value.dtype],
                "shape": list(value.shape),
                "data": base64.b64encode(raw(value)).decode(),
            }
            for key, value in tensors.items()
        },
    }


def unwrap(loaded):
    for entry in ("state_dict", "model_state_dict", "model"):
        if isinstance(loaded.get(entry), dict):
            loaded = loaded[entry]
    return {key.removeprefix("module."): value for key, value in loaded.items()}


def keep(name, container, weights_only=True):
    expect(name, container, unwrap(torch.load(HERE / name, weights_only=weights_only)))


def save(name, value, container="pth-zip", protocol=2):
    is_zip = container == "pth-zip"
    torch.save(value, HERE / name, pickle_protocol=protocol, _use_new_zipfile_serialization=is_zip)
    # PyTorch's own allow-list machine knows protocols 2 and 3 alone.
    keep(name, container, weights_only=protocol in (2, 3))


def all_types():
    special = [0.0, -0.0, 1.5, -2.25, float("inf"), float("-inf"), float("nan"), 6e-8, 1 / 3]
    types = {}
    for dtype, name in NAMES.items():
        if dtype.is_floating_point:
            types[name] = torch.tensor(special, dtype=dtype)
        elif dtype is torch.bool:
            types[name] = torch.tensor([True, False, True])
        else:
            info = torch.iinfo(dtype)
            types[name] = torch.tensor([info.min, 0, 1, info.max], dtype=dtype)
    return types


def views():
    base = torch.arange(24, dtype=torch.float32)
    cube = base.reshape(2, 3, 4)
    return OrderedDict(
        whole=base,
        cube=cube,
        part=base[5:11],
        transposed=cube[0].t(),
        permuted=cube.permute(2, 0, 1),
        strided=cube[:, ::2, 1::2],
        expanded=base[3].expand(2, 3),
        rows=base[:4].unsqueeze(0).expand(3, 4),
        scalar=base[7],
        empty=torch.zeros(0, 3),
        hollow=torch.zeros(2, 0, 4).permute(2, 0, 1),
        one=cube[1:, 1:2, 3:].transpose(0, 2),
        channels_last=torch.arange(48, dtype=torch.int16).reshape(2, 3, 2, 4).to(memory_format=torch.channels_last),
    )


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)


def net():
    model = Net()
    with torch.no_grad():
        for i, value in enumerate(model.state_dict().values()):
            value.copy_(torch.arange(value.numel()).reshape(value.shape) + i)
    return model


def checkpoint():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return {
        "epoch": 3,
        "arch": "net",
        "best": 0.5,
        "state_dict": OrderedDict(("module." + key, value) for key, value in model.state_dict().items()),
        "optimizer": optimizer.state_dict(),
    }


def rezip(source, name, compression, change=lambda member, data: data):
    with zipfile.ZipFile(HERE / source) as old, zipfile.ZipFile(HERE / name, "w", compression) as new:
        for member in old.namelist():
            info = zipfile.ZipInfo(member)
            new.writestr(info, change(member, old.read(member)), compression)
    keep(name, "pth-zip")


def big_endian(name):
    """As a big-endian machine writes it: PyTorch then swaps whole storages."""
    tensors = all_types()
    widths = [value.element_size() for value in tensors.values()]

    def change(member, data):
        if member.endswith("/byteorder"):
            return b"big"
        if "/data/" in member:
            width = widths[int(member.rpartition("/")[2])]
            return numpy.frombuffer(data, f"V{width}").view(f"<u{width}").byteswap().tobytes()
        return data

    rezip("types-zip.pth", name, zipfile.ZIP_STORED, change)


class Reference:
    def __init__(self, key):
        self.key = key


class TarPickler(pickle.Pickler):
    def persistent_id(self, obj):
        return obj.key if isinstance(obj, Reference) else None


def tar(name):
    """By hand, after torch.serialization.legacy_load, which is what still reads such files."""

    def dump(*things):
        return b"".join(thing if isinstance(thing, bytes) else pickle.dumps(thing, 2) for thing in things)

    floats, whole = torch.arange(12, dtype=torch.float32), torch.tensor([-1, 2, 1 << 40])
    storages = dump(
        2,
        ("100", "cpu", torch.FloatStorage),
        struct.pack("<q", 12),
        raw(floats),
        ("200", "cpu", torch.LongStorage),
        struct.pack("<q", 3),
        raw(whole),
        [("300", "100", 4, 6)],
    )

    def tensor(key, storage, kind, shape, strides, offset):
        numbers = struct.pack(f"<i4x{2 * len(shape) + 1}q", len(shape), *shape, *strides, offset)
        return dump((key, storage, kind), numbers)

    # PyTorch's own reader takes integers for the numbers of tensors and strings for those of storages.
    tensors = dump(3) + b"".join(
        [
            tensor(1, "100", torch.FloatTensor, (3, 4), (4, 1), 0),
            tensor(2, "200", torch.LongTensor, (3,), (1,), 0),
            tensor(3, "300", torch.FloatTensor, (2, 3), (1, 2), 0),
        ]
    )
    stream = io.BytesIO()
    TarPickler(stream, 2).dump(OrderedDict(weight=Reference(1), count=Reference(2), part=Reference(3)))
    members = {
        "sys_info": dump({"protocol_version": 1000, "little_endian": True, "type_sizes": {"long": 8}}),
        "pickle": stream.getvalue(),
        "storages": storages,
        "tensors": tensors,
    }
    with tarfile.open(HERE / name, "w:", format=tarfile.PAX_FORMAT) as archive:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    keep(name, "pth-tar", weights_only=False)


def widened(dtype):
    """SHA-256 of all 65536 values as float32; NaN as zero, since processors differ in what they make of its payload."""
    values = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(dtype).float()
    return hashlib.sha256(raw(torch.nan_to_num(values, 0.0, float("inf"), float("-inf")))).hexdigest()


save("types-zip.pth", all_types())
save("types-legacy.pth", all_types(), "pth-legacy")
save("views-zip.pth", views())
save("views-legacy.pth", views(), "pth-legacy")
save("net-zip.pth", net().state_dict())
save("net-legacy.pth", net().state_dict(), "pth-legacy")
save("parameters.pth", net().state_dict(keep_vars=True))
save("checkpoint.pth", checkpoint())
for protocol in (1, 3, 4, 5):
    save(f"protocol-{protocol}.pth", {"weight": torch.arange(4.0), "count": torch.tensor(300)}, protocol=protocol)
save("protocol-4-legacy.pth", {"weight": torch.arange(4.0)}, "pth-legacy", 4)
torch.serialization.set_crc32_options(False)
save("no-checksums.pth", {"weight": torch.arange(4.0)})
torch.serialization.set_crc32_options(True)
big_endian("big-endian.pth")
rezip("views-zip.pth", "deflated.pth", zipfile.ZIP_DEFLATED)
tar("tar.pth")

torch.save(net(), HERE / "module-zip.pth")
torch.jit.script(nn.ReLU()).save(HERE / "torchscript.pt")
torch.save({"z": torch.zeros(1, dtype=torch.complex64)}, HERE / "complex.pth")
torch.save({"w": torch.zeros(1, dtype=torch.uint16)}, HERE / "uint16.pth")
torch.save({"n": torch._neg_view(torch.ones(2))}, HERE / "negated.pth")

save_file(all_types(), HERE / "types.safetensors")
expect("types.safetensors", "safetensors", all_types())

(HERE / "expected.json").write_text(
    json.dumps(
        {"files": expected, "widened": {"F16": widened(torch.float16), "BF16": widened(torch.bfloat16)}},
        indent=1,
    )
    + "\n"
)
