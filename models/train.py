"""Train the style encoder and write what the app loads.

    python3 models/train.py --data FILE.jsonl.gz --out models/style-encoder

FILE holds JSON Lines of {"handle": …, "tweets": […]}, plain or gzipped. Needs PyTorch, NumPy, SentencePiece and
protobuf (Debian: python3-torch python3-numpy python3-sentencepiece python3-protobuf). The same seed and one thread give
the same weights on the same machine.

The encoder learns to tell whose tweet it reads, with a cosine softmax over the authors (Wang et al. 2018, "CosFace",
section 3, with no margin). After training the softmax is thrown away and the encoder below it is kept. Authors with many
tweets are drawn only somewhat more often (EVEN below), so that feeds with thousands of tweets do not outvote people. To
learn style and not topic, a tenth of the pieces is dropped, and half of the time all names and tags lose everything after
their @ or #.
"""

import argparse
import ctypes
import gzip
import html
import json
import math
import os
import random
import sys
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # one thread: small matrices gain little from more

import numpy as np
import sentencepiece
import torch
import torch.nn.functional as F

from encoder import Encoder, Shipped, padded
from pieces import MAX_PIECES, PADDING, START, TWEETS_PER_AUTHOR
from pieces import encode, learn_pieces, tokenizer_config, tokenizer_json

AUTHORS, EACH = 128, 8  # a batch: so many authors, so many tweets of each
EVEN = 0.3  # an author is drawn with probability ∝ tweets ** EVEN
SCALE = 20  # the softmax takes the cosines times this
DROP = 0.1  # share of pieces dropped
MASK = 0.5  # share of tweets that lose their names and tags
RATE, DECAY, WARM_UP = 3e-3, 0.05, 100  # AdamW; steps of warm-up, then half a cosine
PARTS = (0.12, 0.24, 0.36, 0.48, 0.6, 0.7, 0.8, 0.88, 0.94, 0.98)  # where a batch, shortest first, is cut


def main():
    arguments = argparse.ArgumentParser(description="Train the style encoder.")
    arguments.add_argument("--data", type=Path, required=True, help='JSON Lines of {"handle", "tweets"}, plain or .gz')
    arguments.add_argument("--out", type=Path, required=True, help="folder for the model")
    arguments.add_argument("--pieces", type=int, default=16_000, help="size of the vocabulary")
    arguments.add_argument("--width", type=int, default=128)
    arguments.add_argument("--dimensions", type=int, default=384, help="of the vectors")
    arguments.add_argument("--tweets", type=int, default=1_064_960, help="how many are seen in training")
    arguments.add_argument("--skip", type=int, default=0, help="authors to leave out, to measure on")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()

    reuse_memory()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    authors = read_authors(options.data, options.skip)
    print(f"{len(authors)} authors, {sum(map(len, authors))} tweets; learning {options.pieces} pieces", flush=True)
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(learn_pieces(sample_each(authors, TWEETS_PER_AUTHOR), options.pieces))
    corpus = Corpus(authors, processor, options.seed)

    encoder = Encoder(options.pieces, options.width)
    fit(encoder, corpus, steps=options.tweets // (AUTHORS * EACH))
    encoder.fit_projection(encode(processor, sample_each(authors, 40)), options.dimensions)
    export(encoder, processor, options.out)


def read_authors(path: Path, skip: int) -> list[list[str]]:
    """Each author's tweets, entities decoded, authors in the order of their handles."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as lines:
        authors = {a["handle"]: a["tweets"] for a in map(json.loads, lines) if len(a["tweets"]) >= EACH}
    left_out = random.Random(5).sample(sorted(h for h in authors if len(authors[h]) >= 220), skip) if skip else []
    return [[html.unescape(tweet) for tweet in authors[h]] for h in sorted(authors) if h not in left_out]


def sample_each(authors, most: int) -> list[str]:
    """Up to `most` tweets of each author, drawn at random."""
    chance = random.Random(7)
    return [tweet for tweets in authors for tweet in chance.sample(tweets, min(most, len(tweets)))]


class Corpus:
    """All tweets as one row of ids, and batches from it.

    ids (N,), hidden (N,): whether a piece belongs to a name or tag; start, length (tweets,); first, count (authors,)
    """

    def __init__(self, authors, processor, seed: int):
        rows = [row for tweets in authors for row in encode(processor, tweets)]
        self.ids = np.concatenate(rows).astype(np.int64)
        self.hidden = in_name_or_tag(self.ids, [processor.id_to_piece(i) for i in range(processor.get_piece_size())])
        self.length = np.array([len(row) for row in rows])
        self.start = np.cumsum(self.length) - self.length
        self.count = np.array([len(tweets) for tweets in authors])
        self.first = np.cumsum(self.count) - self.count
        self.chance = np.random.default_rng(seed)
        self.weight = self.count**EVEN / (self.count**EVEN).sum()

    def batch(self):
        """AUTHORS × EACH tweets, shortest first: parts of like length [(ids, mask) (B, T)], author (all B,)."""
        drawn = self.chance.choice(len(self.count), min(AUTHORS, len(self.count)), replace=False, p=self.weight)
        tweets = np.concatenate([self.first[a] + self.chance.choice(self.count[a], EACH, replace=False) for a in drawn])
        order = self.length[tweets].argsort()
        cuts = [int(part * len(tweets)) for part in PARTS]
        parts = [self.part(chosen) for chosen in np.split(tweets[order], cuts) if len(chosen)]
        return parts, torch.from_numpy(drawn.repeat(EACH)[order])

    def part(self, tweets):
        """Ids and mask of these tweets, less what is dropped; START stays."""
        column = np.arange(self.length[tweets].max())[None]
        inside = column < self.length[tweets][:, None]
        place = np.where(inside, self.start[tweets][:, None] + column, 0)
        masked = self.hidden[place] & (self.chance.random((len(tweets), 1)) < MASK)
        kept = inside & ~masked & ((self.chance.random(place.shape) >= DROP) | (column == 0))
        ids = np.where(kept, self.ids[place], PADDING)
        to_front = (~kept).argsort(axis=1, kind="stable")
        ids = torch.from_numpy(np.take_along_axis(ids, to_front, 1)[:, : kept.sum(1).max()])
        return ids, ids != PADDING


def in_name_or_tag(ids, pieces):
    """(N,) whether a piece continues an @name or #tag; the @ or # itself, where it is a piece, does not count."""
    opens = np.array([piece.lstrip("▁")[:1] in ("@", "#") for piece in pieces])
    bare = np.array([piece.lstrip("▁") in ("@", "#") for piece in pieces])
    word = np.array([piece.lstrip("▁@#").replace("_", "").isalnum() for piece in pieces])
    ends = np.array([piece.startswith("▁") for piece in pieces]) | ~word
    ends[START] = True
    state = np.where(opens[ids], 1, np.where(ends[ids], 0, -1))  # 1 begins, 0 ends, -1 as before
    last = np.maximum.accumulate(np.where(state >= 0, np.arange(len(ids)), 0))
    return (state[last] == 1) & ~bare[ids]


def fit(encoder, corpus, steps: int):
    """Minimise the cross-entropy of softmax(SCALE · cos(vector, author's direction))."""
    directions = torch.nn.Parameter(torch.randn(len(corpus.count), 6 * encoder.embedding.embedding_dim) * 0.1)
    decayed = [layer.weight for layer in encoder.convolutions]
    others = [p for p in encoder.parameters() if all(p is not d for d in decayed)] + [directions]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99))
    average, began = None, time.time()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, step / WARM_UP) * (0.02 + 0.49 * (1 + math.cos(math.pi * step / steps)))
        parts, author = corpus.batch()
        vectors = encoder.head(torch.cat([encoder.pooled(*part) for part in parts]))
        loss = F.cross_entropy(SCALE * vectors @ F.normalize(directions, dim=1).T, author)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
        average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
        show_progress(step + 1, steps, average, began)


def show_progress(step: int, steps: int, loss: float, began: float):
    if step != steps and step % (20 if sys.stderr.isatty() else 100):
        return
    done, spent = round(30 * step / steps), time.time() - began
    bar = "█" * done + "·" * (30 - done)
    minutes, pace = spent / step * (steps - step) / 60, step * AUTHORS * EACH / spent
    line = f"{bar} {step}/{steps}  loss {loss:.3f}  {pace:.0f} tweets/s  {minutes:.1f} min left"
    print(line, end="\r" if sys.stderr.isatty() and step != steps else "\n", file=sys.stderr, flush=True)


def export(encoder, processor, folder: Path):
    """config.json, tokenizer.json, tokenizer_config.json, onnx/model.onnx, as transformers.js expects them."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    ids, mask = padded([[START, 5, 6], [START, 7]])
    shipped = Shipped(encoder).eval()
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(
        shipped,
        (ids, mask.long()),
        str(folder / "onnx" / "model.onnx"),
        opset_version=14,
        input_names=names,
        output_names=["sentence_embedding"],
        dynamic_axes={name: {0: "tweets", 1: "pieces"} for name in names} | {"sentence_embedding": {0: "tweets"}},
    )
    config = {  # "bert" makes transformers.js feed input_ids and attention_mask and return what comes out
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": encoder.projection.shape[1],
        "max_position_embeddings": MAX_PIECES,
        "vocab_size": encoder.embedding.num_embeddings,
    }
    files = {"config": config, "tokenizer_config": tokenizer_config(processor), "tokenizer": tokenizer_json(processor)}
    for name, content in files.items():
        text = json.dumps(content, ensure_ascii=False, indent=None if name == "tokenizer" else 2)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def reuse_memory():
    """Keep freed memory instead of handing every tensor back to the system: twice as fast (glibc only)."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    except (OSError, AttributeError):
        pass


if __name__ == "__main__":
    main()
