"""PyTorch's side of bench/side-by-side.ts: runs one call of a workload for every line on standard input.

Prints "ready VERSION" once the workload stands, then the seconds that each call took. The memory format is the one that
is faster here (channels-last), oneDNN on, all cores.
"""
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def vgg16(width, channels, classes, small):
    layers, last = [], channels
    for item in [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"]:
        if item == "M":
            layers.append(nn.MaxPool2d(2, 2))
            continue
        size = int(item * width)
        layers.append(nn.Conv2d(last, size, 3, padding=1, bias=not small))
        if small:
            layers.append(nn.BatchNorm2d(size))
        layers.append(nn.ReLU())
        last = size
    if small:
        return nn.Sequential(nn.ZeroPad2d(2), *layers, nn.Flatten(), nn.Linear(last, classes))
    head = [nn.Linear(last * 49, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


class Block(nn.Module):
    def __init__(self, source, target, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(source, target, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(target)
        self.conv2 = nn.Conv2d(target, target, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(target)
        self.shortcut = None
        if source != target:
            self.shortcut = nn.Sequential(nn.Conv2d(source, target, 1, stride, bias=False), nn.BatchNorm2d(target))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def resnet20(classes):
    layers, last = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for channels, stride in [(16, 1), (32, 2), (64, 2)]:
        for block in range(3):
            layers.append(Block(last, channels, stride if block == 0 else 1))
            last = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, classes))


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
        return training(resnet20(10), torch.rand(128, 3, 32, 32), torch.arange(128) % 10)
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
