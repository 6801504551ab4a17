"""Trains a small network to tell tissue from glass, on patches that a loader decodes while it computes.

    python train_cnn.py TRAIN.svs VALIDATE.svs [--epochs 8]

Needs PyTorch; a CPU does, for about a minute. The labels come from the slides' thumbnails: a patch is tissue if
half of it is coloured there. The network sees the patches alone, at half the resolution of level 0 or whatever
level 1 has.
"""

import argparse
import time

import microtome as mt
import numpy as np
import torch

PATCH = 64  # pixels of the level, each side


class Patches:
    """A slide's patches at a level, and whether each is tissue."""

    def __init__(self, path, level):
        self.slide, self.level = mt.open(path), level
        small = self.slide.thumbnail(512).astype(int)
        mask = small.max(axis=2) - small.min(axis=2) > 20
        where = {"size": (PATCH, PATCH), "stride": (PATCH // 2, PATCH // 2), "level": level}
        self.locations = mt.grid(self.slide, **where)
        tissue = {tuple(xy) for xy in mt.grid(self.slide, **where, mask=mask, min_tissue=0.5).tolist()}
        self.is_tissue = torch.tensor([tuple(xy) in tissue for xy in self.locations.tolist()])

    def loader(self, shuffle):
        size = (PATCH, PATCH)
        return mt.Loader(
            self.slide, self.locations, size, level=self.level, batch_size=64, shuffle=shuffle, seed=1
        )

    def images_and_labels(self, batch):
        # The batch's own memory as a tensor; only the conversion to float copies.
        images = torch.from_dlpack(batch).permute(0, 3, 1, 2).float() / 255 - 0.5
        return images, self.is_tissue[torch.tensor(batch.indices.tolist())].float()


def network():
    def block(channels_in, channels_out):
        return [
            torch.nn.Conv2d(channels_in, channels_out, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.MaxPool2d(4),
        ]

    layers = [
        *block(3, 8),
        *block(8, 16),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 1),
    ]
    return torch.nn.Sequential(*layers, torch.nn.Flatten(0))


def accuracy(net, patches):
    right = 0
    with torch.no_grad():
        for batch in patches.loader(shuffle=False):
            images, labels = patches.images_and_labels(batch)
            right += int(((net(images) > 0) == (labels > 0.5)).sum())
    return right / len(patches.locations)


def train(net, patches, epochs):
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    share = patches.is_tissue.float().mean()
    loss_of = torch.nn.BCEWithLogitsLoss(pos_weight=(1 - share) / share)
    loader = patches.loader(shuffle=True)
    for epoch in range(epochs):
        losses, begin = [], time.monotonic()
        for batch in loader:  # each pass is a new epoch, in an order of its own
            images, labels = patches.images_and_labels(batch)
            optimizer.zero_grad()
            loss = loss_of(net(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        seconds, waited = time.monotonic() - begin, loader.stats().consumer_waited
        print(
            f"epoch {epoch}: loss {np.mean(losses):.4f}, {seconds:.1f} s, {waited:.2f} s waiting for patches"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("train")
    parser.add_argument("validate")
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    torch.manual_seed(0)
    level = 1 if len(mt.open(options.train).levels) > 1 else 0
    patches, others = Patches(options.train, level), Patches(options.validate, level)
    print(f"{len(patches.locations)} patches to train on, {int(patches.is_tissue.sum())} of them tissue")
    net = network()
    train(net, patches, options.epochs)
    print(f"accuracy on {options.validate}: {accuracy(net, others):.3f}")


if __name__ == "__main__":
    main()
