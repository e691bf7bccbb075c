# Random damage to tokenizer models and token shards, a hundred times as much as `make test` does.
set -euo pipefail
export LLMTOOL_FUZZ_FACTOR=100
"$BUILD/llmtool_tests" --source-file='*tests/text/hostile_model_test.cpp,*tests/io/token_shards_test.cpp'
