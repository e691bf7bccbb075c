"""Reads token shards in Megatron's indexed format with nothing but the standard library.

python3 read_shards.py PREFIX... prints the ids of each document on a line.
"""
import struct
import sys


def read(prefix):
    with open(prefix + ".idx", "rb") as f:
        index = f.read()
    with open(prefix + ".bin", "rb") as f:
        tokens = f.read()
    assert index[:9] == b"MMIDIDX\x00\x00", "magic"
    version, code, sequences, indices = struct.unpack_from("<QBQQ", index, 9)
    assert version == 1, version
    letter, size = {4: ("i", 4), 8: ("H", 2)}[code]
    at = 34
    lengths = struct.unpack_from(f"<{sequences}i", index, at)
    at += 4 * sequences
    offsets = struct.unpack_from(f"<{sequences}q", index, at)
    at += 8 * sequences
    documents = struct.unpack_from(f"<{indices}q", index, at)
    at += 8 * indices
    assert at == len(index), (at, len(index))
    assert documents == tuple(range(sequences + 1)), "one sequence a document"
    assert size * sum(lengths) == len(tokens), "length of .bin"
    for length, offset in zip(lengths, offsets):
        yield struct.unpack_from(f"<{length}{letter}", tokens, offset)


for prefix in sys.argv[1:]:
    for ids in read(prefix):
        print(*ids)
