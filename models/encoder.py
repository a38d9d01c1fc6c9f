"""The encoder: pieces of a tweet -> a vector of length 1 that says how its author writes.

Shapes: B tweets, T pieces (padded), D width, P = 6 D pooled features, K dimensions of the vector.

    h0 = E[ids]                                          (B, T, D)   what is written
    h  = h + gelu(W [h-1; h; h+1]), h normed, twice       (B, T, D)   how it is put together: up to 5 pieces
    p  = [sum / 16; mean; max] of h and of h0            (B, P)
    v  = standardise(p), then V' v, to unit length       (B, K)

The sum, beside the mean, lets the length count; the max lets a single typical piece count. Residual convolutions over
words: Kim 2014, "Convolutional Neural Networks for Sentence Classification" (section 2); layer norm first: Xiong et al.
2020, "On Layer Normalization in the Transformer Architecture".
"""

import torch
import torch.nn.functional as F
from torch import nn

from pieces import PADDING


class Encoder(nn.Module):
    def __init__(self, pieces: int, width: int, layers: int = 2):
        super().__init__()
        self.embedding = nn.Embedding(pieces, width)
        nn.init.normal_(self.embedding.weight, std=0.5)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers + 1))
        self.convolutions = nn.ModuleList(nn.Linear(3 * width, width) for _ in range(layers))
        self.standardise = nn.BatchNorm1d(6 * width, affine=False, momentum=0.02)
        self.projection = None  # V (P, K), see fit_projection

    def look_up(self, ids):
        return self.embedding(ids)

    def pooled(self, ids, mask):
        """ids, mask (B, T) -> p (B, P)."""
        mask = mask.unsqueeze(-1).float()
        first = self.look_up(ids) * mask
        hidden = first
        for norm, convolution in zip(self.norms, self.convolutions):
            hidden = (hidden + F.gelu(convolution(with_neighbours(norm(hidden) * mask)))) * mask
        return torch.cat([*pools(self.norms[-1](hidden), mask), *pools(first, mask)], dim=1)

    def head(self, pooled):
        """p (B, P) -> unit vectors (B, P), or (B, K) once there is a projection."""
        vectors = self.standardise(pooled)
        if self.projection is not None:
            vectors = vectors @ self.projection
        return F.normalize(vectors, dim=1)

    def forward(self, ids, mask):
        return self.head(self.pooled(ids, mask))

    @torch.no_grad()
    def fit_projection(self, ids_of_tweets, dimensions: int):
        """V: the leading right singular vectors of many tweets' vectors (PCA without centring).

        Training uses all P features, but the database should store few numbers. The K directions are those that keep
        most of the vectors' inner products (Eckart and Young 1936), which is all that a linear classifier uses.
        """
        self.eval()
        vectors = torch.cat([self(*padded(batch)) for batch in chunks(sorted(ids_of_tweets, key=len), 128)])
        spread, directions = torch.linalg.eigh(vectors.T @ vectors)
        self.projection = directions[:, spread.argsort(descending=True)[:dimensions]].contiguous()


class Shipped(nn.Module):
    """The encoder as it is exported: rows of the embedding table as int8, each with its own scale."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.encoder = encoder
        table = encoder.embedding.weight.detach()
        scale = table.abs().amax(dim=1, keepdim=True).clamp(min=1e-8) / 127
        self.register_buffer("table", (table / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)
        encoder.look_up = lambda ids: self.table[ids].float() * self.scale[ids]

    def forward(self, input_ids, attention_mask):
        return self.encoder(input_ids, attention_mask)


def with_neighbours(x):
    """(B, T, D) -> (B, T, 3 D): every position beside the one before and the one after it, zeros at the ends."""
    edge = torch.zeros_like(x[:, :1])
    return torch.cat([torch.cat([edge, x[:, :-1]], 1), x, torch.cat([x[:, 1:], edge], 1)], dim=2)


def pools(x, mask):
    """(B, T, D) -> three of (B, D)."""
    total = (x * mask).sum(1)
    return total / 16, total / mask.sum(1).clamp(min=1), (x + (mask - 1) * 50).amax(1)


def padded(rows):
    """Lists of ids -> ids (B, T), mask (B, T)."""
    ids = torch.full((len(rows), max(map(len, rows))), PADDING)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.as_tensor(row)
    return ids, ids != PADDING


def chunks(rows, size):
    return (rows[i : i + size] for i in range(0, len(rows), size))
