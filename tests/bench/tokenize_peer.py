"""SentencePiece's Python wheel: python tokenize_peer.py MODEL JSONL THREADS prints "bytes tokens seconds" (of processor time)."""
import json
import sys
import time

import sentencepiece

library = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as lines:
    texts = [json.loads(line)["text"] for line in lines]
size = sum(len(t.encode()) for t in texts)
start = time.process_time()
ids = library.encode(texts, num_threads=int(sys.argv[3]))
print(size, sum(map(len, ids)), f"{time.process_time() - start:.4f}")
