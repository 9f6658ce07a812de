"""Makes blocks.json, vgg16-small.json and alexnet-paper.json beside this file: python make.py (needs torch alone).

Weights and inputs are pure functions of a key and an index, so no weight file is needed; test/models/oracle-weights.ts
states the same formula.
"""

import json
import pathlib

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent
MASK = 0xFFFFFFFF


def seed(key):
    value = 0x811C9DC5
    for byte in key.encode():
        value = ((value ^ byte) * 0x01000193) & MASK
    return value


def uniform(key, shape):
    """Numbers in [-1, 1): one per index, in C order."""
    count = int(torch.Size(shape).numel())
    x = (torch.arange(count, dtype=torch.int64) * 0x9E3779B9 + seed(key)) & MASK
    x = x ^ (x >> 16)
    x = (x * 0x7FEB352D) & MASK
    x = x ^ (x >> 15)
    # The product of two 32-bit numbers can pass 2^63; its low 32 bits are right all the same.
    x = (x * 0x846CA68B) & MASK
    x = x ^ (x >> 16)
    return ((x >> 8).double() / 2**24 * 2 - 1).reshape(shape)


def fill(model):
    state = model.state_dict()
    for key, value in state.items():
        layer = key.rpartition(".")[0]
        u = uniform(key, value.shape)
        normalises = layer + ".running_mean" in state
        if value.dim() > 1:
            state[key] = u * (6 / value[0].numel()) ** 0.5
        elif key.endswith("num_batches_tracked"):
            continue
        elif key.endswith("running_var"):
            state[key] = 1 + 0.2 * u
        elif normalises:
            state[key] = (1 if key.endswith("weight") else 0) + 0.1 * u
        else:
            state[key] = 0.05 * u
    model.load_state_dict(state)


def digits(tensor):
    return [float(f"{x:.7g}") for x in tensor.detach().flatten().tolist()]


def inference(model, x, labels):
    """Logits, summed cross-entropy and its gradient towards the input (N, C, H, W)."""
    model.eval()
    x = x.clone().requires_grad_()
    logits = model(x)
    loss = nn.functional.cross_entropy(logits, labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, x)
    return {"logits": digits(logits), "loss": loss.item(), "gradient": digits(gradient)}


def training(model, x, labels, keys, running):
    """The same in training mode, with the mean loss's gradient towards some weights and the running statistics after."""
    model.train()
    logits = model(x)
    loss = nn.functional.cross_entropy(logits, labels)
    weights = dict(model.named_parameters())
    gradients = torch.autograd.grad(loss, [weights[key] for key in keys])
    after = model.state_dict()
    return {
        "logits": digits(logits),
        "loss": loss.item(),
        "gradients": {key: digits(gradient) for key, gradient in zip(keys, gradients)},
        "running": {key: digits(after[key]) for key in running},
    }


def vgg16_small():
    layers, channels = [], 1
    for stage, convolutions in enumerate([2, 2, 3, 3, 3]):
        width = min(64, 8 * 2**stage)
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    model = nn.Sequential()
    model.add_module("pad", nn.ZeroPad2d(2))
    model.add_module("features", nn.Sequential(*layers))
    model.add_module("avgpool", nn.AdaptiveAvgPool2d(1))
    model.add_module("flatten", nn.Flatten())
    model.add_module("classifier", nn.Linear(64, 10))
    fill(model)
    return model


def blocks():
    """Strided and padded convolution, adaptive pooling up and down, the order of features: 2 channels of 11x9."""
    model = nn.Sequential()
    model.add_module("conv", nn.Conv2d(2, 4, 5, stride=2, padding=2))
    model.add_module("relu", nn.ReLU())
    model.add_module("down", nn.AdaptiveAvgPool2d(4))
    model.add_module("up", nn.AdaptiveAvgPool2d(7))
    model.add_module("pool", nn.MaxPool2d(2))
    model.add_module("flatten", nn.Flatten())
    model.add_module("fc", nn.Linear(36, 3))
    fill(model)
    return model


def alexnet_paper(width):
    """Figure 2 of Krizhevsky et al. 2012: groups and local response normalisation, whose alpha PyTorch divides by its size."""
    c96, c256, c384, hidden = 96 // width, 256 // width, 384 // width, 4096 // width
    normalise = lambda: nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
    pool = lambda: nn.MaxPool2d(3, stride=2)
    model = nn.Sequential()
    model.add_module("features", nn.Sequential(
        nn.Conv2d(3, c96, 11, stride=4, padding=2), nn.ReLU(), normalise(), pool(),
        nn.Conv2d(c96, c256, 5, padding=2, groups=2), nn.ReLU(), normalise(), pool(),
        nn.Conv2d(c256, c384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c384, c384, 3, padding=1, groups=2), nn.ReLU(),
        nn.Conv2d(c384, c256, 3, padding=1, groups=2), nn.ReLU(), pool(),
    ))
    model.add_module("flatten", nn.Flatten())
    model.add_module("classifier", nn.Sequential(
        nn.Dropout(), nn.Linear(c256 * 4, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(),
        nn.Linear(hidden, 10),
    ))
    fill(model)
    return model


def write(name, content):
    made_with = f"torch {torch.__version__}, float64"
    (HERE / name).write_text(json.dumps({"made_with": made_with, **content}) + "\n")


x = (uniform("input", [2, 1, 28, 28]) + 1) / 2
labels = torch.tensor([3, 1])
net = vgg16_small()
keys = ["features.0.weight", "features.1.weight", "features.1.bias", "features.41.weight", "features.41.bias",
        "classifier.weight", "classifier.bias"]
running = ["features.1.running_mean", "features.1.running_var", "features.41.running_mean", "features.41.running_var"]
write("vgg16-small.json", {
    "labels": labels.tolist(),
    "parameters": sum(p.numel() for p in net.parameters()),
    "inference": inference(net, x, labels),
    "training": training(net, x, labels, keys, running),
})

x = (uniform("input", [2, 2, 11, 9]) + 1) / 2
labels = torch.tensor([2, 0])
write("blocks.json", {"labels": labels.tolist(), **inference(blocks(), x, labels)})

x = (uniform("input", [2, 3, 99, 99]) + 1) / 2
labels = torch.tensor([4, 7])
net = alexnet_paper(16)
result = inference(net, x, labels)
result["gradient"] = result["gradient"][:: 97]
write("alexnet-paper.json", {"labels": labels.tolist(), "parameters": sum(p.numel() for p in net.parameters()), **result})
