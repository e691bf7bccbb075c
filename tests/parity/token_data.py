"""Token shards and counter-based random numbers, written from their descriptions and not from
llmtool's code: Megatron's indexed format, Philox4x32-10 (Salmon et al. 2011), FNV-1a.

    python tests/parity/token_data.py      # checks Philox against Random123's known answers
"""

import pathlib
import struct
import sys

import numpy as np

DTYPES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 8: np.uint16}


class TokenShard:
    """`<prefix>.bin` and `<prefix>.idx`; tokens of all documents one after another."""

    def __init__(self, prefix):
        index = pathlib.Path(f"{prefix}.idx").read_bytes()
        if index[:9] != b"MMIDIDX\x00\x00":
            raise ValueError(f"{prefix}.idx: not a Megatron index")
        version, code, sequences, _ = struct.unpack_from("<QBQQ", index, 9)
        if version != 1:
            raise ValueError(f"{prefix}.idx: version {version}")
        dtype, at = DTYPES[code], 34
        self.lengths = np.frombuffer(index, np.int32, sequences, at)
        offsets = np.frombuffer(index, np.int64, sequences, at + 4 * sequences)
        self.begins = np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])
        if not np.array_equal(offsets, self.begins[:-1] * np.dtype(dtype).itemsize):
            raise ValueError(f"{prefix}.idx: documents do not follow one another")
        self.tokens = np.memmap(f"{prefix}.bin", dtype, "r")
        if len(self.tokens) != self.begins[-1]:
            raise ValueError(f"{prefix}.bin: {len(self.tokens)} tokens, the index says "
                             f"{self.begins[-1]}")


class TokenDataset:
    """A prefix, or a folder whose shards are taken in order of name, as one line of tokens."""

    def __init__(self, path):
        path = pathlib.Path(path)
        found = sorted(p.with_suffix("") for p in path.glob("*.idx"))
        prefixes = found if path.is_dir() else [path]
        if not prefixes:
            raise ValueError(f"{path}: no .idx files")
        self.shards = [TokenShard(p) for p in prefixes]
        self.tokens = np.concatenate([s.tokens for s in self.shards]).astype(np.int64)


def philox4x32(counter, key):
    """Ten rounds on arrays: counter (4, n), key (2); 4 x 32 bits for each column."""
    c = [np.asarray(x, np.uint64) for x in counter]
    k = [int(key[0]), int(key[1])]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k[0]), p1 & low,
             (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k[1]), p0 & low]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c)


def random_bits(seed, stream, index):
    """64 bits for each index: words 0 and 1 of the block of counter (index, stream), key seed."""
    index = np.asarray(index, np.uint64)
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    words = philox4x32(
        [index & low, index >> shift, np.full_like(index, stream & 0xFFFFFFFF),
         np.full_like(index, stream >> 32)], (seed & 0xFFFFFFFF, seed >> 32))
    return words[0] | (words[1] << shift)


def random_below(seed, stream, index, bound):
    """[0, bound) for each index: the high half of bits x bound."""
    return [int(bits) * int(bound) >> 64 for bits in random_bits(seed, stream, index)]


def stream_id(name):
    """FNV-1a, 64 bits."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


class DataOrder:
    """Where the window of each training sample begins: lib/train/data_order.h in Python."""

    def __init__(self, tokens, context, seed):
        self.tokens, self.context, self.seed = tokens, context, seed
        self.epochs = []  # begins of the windows of each epoch, in the order of visit

    def epoch(self, epoch):
        several = self.tokens - 1 >= 2 * self.context
        offset = 0
        if epoch > 0 and several:
            offset = random_below(self.seed, stream_id("data offset"), [epoch], self.context)[0]
        count = (self.tokens - 1 - offset) // self.context
        order = list(range(count))
        stream = (stream_id("data order") + epoch) & 0xFFFFFFFFFFFFFFFF
        bits = random_bits(self.seed, stream, np.arange(count))
        for i in range(count - 1, 0, -1):
            j = int(bits[i]) * (i + 1) >> 64
            order[i], order[j] = order[j], order[i]
        return [offset + w * self.context for w in order]

    def window_begin(self, sample):
        for epoch in range(1 << 30):
            if epoch == len(self.epochs):
                self.epochs.append(self.epoch(epoch))
            if sample < len(self.epochs[epoch]):
                return self.epochs[epoch][sample]
            sample -= len(self.epochs[epoch])


def check_known_answers():
    cases = [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
         (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    ]
    for counter, key, want in cases:
        got = philox4x32([[x] for x in counter], key)[:, 0]
        if tuple(int(x) for x in got) != want:
            return False
    return stream_id("a") == 0xAF63DC4C8601EC8C


if __name__ == "__main__":
    ok = check_known_answers()
    print("philox4x32 and FNV-1a:", "as published" if ok else "WRONG")
    sys.exit(0 if ok else 1)
