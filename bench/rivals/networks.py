"""PyTorch's twins of the networks under src/models, with torchvision's names, so that the bundled weights fit as they are."""
from collections import OrderedDict

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
    features = nn.Sequential(*layers)
    if small:
        return named(pad=nn.ZeroPad2d(2), features=features, flatten=nn.Flatten(), classifier=nn.Linear(last, classes))
    head = [nn.Linear(last * 49, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, classes)]
    return named(features=features, flatten=nn.Flatten(), classifier=nn.Sequential(*head))


class Block(nn.Module):
    def __init__(self, source, target, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(source, target, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(target)
        self.conv2 = nn.Conv2d(target, target, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(target)
        self.downsample = None
        if source != target:
            self.downsample = nn.Sequential(nn.Conv2d(source, target, 1, stride, bias=False), nn.BatchNorm2d(target))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def resnet(sizes, blocks, channels, classes):
    """Stages of basic blocks behind a 3x3 convolution; from the second on, the first block halves the side."""
    stages, last = {}, sizes[0]
    for stage, size in enumerate(sizes):
        row = []
        for block in range(blocks):
            row.append(Block(last, size, 2 if stage > 0 and block == 0 else 1))
            last = size
        stages[f"layer{stage + 1}"] = nn.Sequential(*row)
    stem = {"conv1": nn.Conv2d(channels, sizes[0], 3, padding=1, bias=False), "bn1": nn.BatchNorm2d(sizes[0])}
    head = {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(last, classes)}
    return named(**stem, relu=nn.ReLU(), **stages, **head)


def named(**modules):
    return nn.Sequential(OrderedDict(modules))
