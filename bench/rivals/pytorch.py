"""PyTorch's side of bench/side-by-side.ts: runs one call of a workload for every line on standard input.

    python pytorch.py WORKLOAD BATCH DEVICE

Prints "ready VERSION" once the workload stands, then the seconds that each call took. The memory format is the one that
is faster here (channels-last), oneDNN on, all cores, on a card without TF32 as on our side. Networks of full size are
torchvision's.
"""
import sys
import time

import torch
import torch.nn.functional as F
from networks import resnet, vgg16


def attack(model, x, y):
    model = model.eval().to(x.device, memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    for parameter in model.parameters():
        parameter.requires_grad_(False)

    def step():
        image = x.clone().requires_grad_(True)
        F.cross_entropy(model(image), y, reduction="sum").backward()
        return (x + image.grad.sign() / 255).clamp(0, 1)

    return step


def training(model, x, y, **sgd):
    model = model.train().to(x.device, memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), **sgd)

    def step():
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()

    return step


def loss(outputs, y):
    """GoogLeNet's auxiliary classifiers count three tenths each."""
    if not isinstance(outputs, tuple):
        return F.cross_entropy(outputs, y)
    logits, *sides = outputs
    return F.cross_entropy(logits, y) + 0.3 * sum(F.cross_entropy(side, y) for side in sides)


def full_size(arch):
    import torchvision

    extra = {"init_weights": False, "transform_input": False} if arch == "googlenet" else {}
    return getattr(torchvision.models, arch)(weights=None, **extra)


def workload(name, batch, device):
    y = torch.arange(batch, device=device)
    if name == "attack-vgg16-small":
        return attack(vgg16(1 / 8, 1, 10, True), torch.rand(batch, 1, 28, 28, device=device), y % 10)
    if name == "train-resnet20":
        return training(resnet([16, 32, 64], 3, 3, 10), torch.rand(batch, 3, 32, 32, device=device), y % 10, lr=0.05)
    kind, arch = name.split("-", 1)
    x = torch.rand(batch, 3, 224, 224, device=device)
    if kind == "attack":
        return attack(full_size(arch), x, y % 1000)
    return training(full_size(arch), x, y % 1000, lr=0.001, momentum=0.9, weight_decay=5e-4)


def main():
    name, batch, device = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    torch.manual_seed(0)
    torch.backends.cudnn.allow_tf32 = False
    step = workload(name, batch, device)
    settle = torch.cuda.synchronize if device.startswith("cuda") else torch.mps.synchronize if device == "mps" else lambda: None
    print("ready", torch.__version__, flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        step()
        settle()
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
