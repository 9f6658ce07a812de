"""PyTorch's side of bench/side-by-side.ts: runs one call of a workload for every line on standard input.

Prints "ready VERSION" once the workload stands, then the seconds that each call took. The memory format is the one that
is faster here (channels-last), oneDNN on, all cores.
"""
import sys
import time

import torch
import torch.nn.functional as F
from networks import resnet, vgg16


def attack(model, x, y):
    model = model.eval().to(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    for parameter in model.parameters():
        parameter.requires_grad_(False)

    def step():
        image = x.clone().requires_grad_(True)
        F.cross_entropy(model(image), y, reduction="sum").backward()
        return (x + image.grad.sign() / 255).clamp(0, 1)

    return step


def training(model, x, y):
    model = model.train().to(memory_format=torch.channels_last)
    x = x.contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)

    def step():
        optimiser.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimiser.step()

    return step


def workload(name):
    if name == "attack-vgg16":
        return attack(vgg16(1, 3, 1000, False), torch.rand(8, 3, 224, 224), torch.arange(8))
    if name == "attack-vgg16-small":
        return attack(vgg16(1 / 8, 1, 10, True), torch.rand(64, 1, 28, 28), torch.arange(64) % 10)
    if name == "train-resnet20":
        return training(resnet([16, 32, 64], 3, 3, 10), torch.rand(128, 3, 32, 32), torch.arange(128) % 10)
    raise SystemExit(f"no workload {name}")


def main():
    torch.manual_seed(0)
    step = workload(sys.argv[1])
    print("ready", torch.__version__, flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        step()
        print(time.perf_counter() - started, flush=True)


main()
