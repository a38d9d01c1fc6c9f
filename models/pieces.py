"""Tweets to pieces: normalisation, learning the vocabulary, and writing both as tokenizer.json.

The vocabulary is SentencePiece's unigram language model (Kudo 2018, "Subword Regularization", section 3.2).
Case, punctuation, double spaces and line breaks show how people write, so they are not normalised away:

    link         -> one symbol, wherever it leads
    line break   -> one symbol between spaces
    space        -> "▁", one before the first word too
    anything else stays; a character outside the vocabulary becomes <unk> (a run of them one <unk>)
"""

import io
import re

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

LINK, NEWLINE = "🔗", "⏎"
LINK_PATTERN = r"https?://\S+|\bpic\.twitter\.com/\S+|\bt\.co/\S+"
UNKNOWN, START, PADDING = 0, 1, 2  # ids; every text begins with START, so none is empty
MAX_PIECES = 256
TWEETS_PER_AUTHOR = 400  # at most, to learn the vocabulary from: otherwise a few large feeds would decide it


def normalise(text: str) -> str:
    """The text as SentencePiece gets it; tokenizer_json has the same rules for transformers.js."""
    text = re.sub(LINK_PATTERN, LINK, text).replace("\n", f" {NEWLINE} ")
    return text if text.startswith(" ") or not text else " " + text


def learn_pieces(tweets, size: int) -> bytes:
    """Learn `size` pieces from an iterable of tweets; returns SentencePiece's serialised model.

    Scores are rounded to 1/256. Sums of them are then exact in SentencePiece's 32 bits and in JavaScript's 64
    alike, and ties ("hahaha" as ha-haha or haha-ha) are broken the same way in both.
    """
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(normalise(tweet) for tweet in tweets),
        model_writer=written,
        model_type="unigram",
        vocab_size=size,
        character_coverage=0.99995,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        user_defined_symbols=[LINK, NEWLINE],
        unk_id=UNKNOWN,
        bos_id=START,
        eos_id=-1,
        pad_id=PADDING,
        num_threads=1,
        minloglevel=2,
    )
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(written.getvalue())
    for piece in model.pieces:
        piece.score = round(piece.score * 256) / 256
    return model.SerializeToString()


def encode(processor, texts: list[str]) -> list[list[int]]:
    """Texts to ids, START first, at most MAX_PIECES of them."""
    return [[START] + ids[: MAX_PIECES - 1] for ids in processor.encode([normalise(text) for text in texts])]


def tokenizer_json(processor) -> dict:
    """The same tokenizer in the format of Hugging Face's tokenizers, which transformers.js reads."""
    vocabulary = [[processor.id_to_piece(i), processor.get_score(i)] for i in range(processor.get_piece_size())]
    special = [
        {
            "id": i,
            "content": vocabulary[i][0],
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for i in (UNKNOWN, START, PADDING)
    ]
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
    start = vocabulary[START][0]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": special,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "Replace", "pattern": {"Regex": LINK_PATTERN}, "content": LINK},
                {"type": "Replace", "pattern": {"Regex": r"\n"}, "content": f" {NEWLINE} "},
            ],
        },
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": start, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [],
            "special_tokens": {start: {"id": start, "ids": [START], "tokens": [start]}},
        },
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": UNKNOWN, "vocab": vocabulary, "byte_fallback": False},
    }


def tokenizer_config(processor) -> dict:
    return {
        "tokenizer_class": "PreTrainedTokenizer",
        "model_max_length": MAX_PIECES,
        "unk_token": processor.id_to_piece(UNKNOWN),
        "bos_token": processor.id_to_piece(START),
        "pad_token": processor.id_to_piece(PADDING),
        "padding_side": "right",
    }
