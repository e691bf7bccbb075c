#!/usr/bin/env bash
# What a training run tells: its end on stdout, metrics.jsonl, report.html (and `llmtool report`),
# TensorBoard's files; energy from a stated power, over an interruption.
set -euo pipefail
source "$SOURCE/tests/cli/expect.sh"

awk 'BEGIN { srand(1); for (i = 0; i < 200; i++) { s = ""; for (j = 0; j < 20; j++)
       s = s sprintf("%c%c ", 97 + rand() * 26, 97 + rand() * 26)
     printf "{\"text\": \"%s\"}\n", s } }' >docs.jsonl
run "$LLMTOOL" tokenizer train docs.jsonl -o tokenizer --vocab-size 300 -q
exits 0
run "$LLMTOOL" tokenize docs.jsonl -t tokenizer -o data --val-fraction 0.2 -q
exits 0
train() {
  run "$LLMTOOL" train -d data --threads 1 --seq-len 16 --batch-size 2 --max-position-embeddings 256 --hidden-size 16 \
    --intermediate-size 24 --num-hidden-layers 1 --num-attention-heads 2 "$@"
}
number() { sed -nE "s/.*\"$2\":([-+.e0-9]+).*/\1/p" "$1" | tail -n 1; }  # number FILE KEY
is() { awk "BEGIN { exit !($1) }" || failed "not true: $1"; }

prompt='<script>alert(1)</script> & "quotes"'
train -o run --steps 20 --save-every 10 --eval-every 10 --sample-every 10 --sample-tokens 8 \
  --sample-prompt "$prompt" --peak-tflops 0.001 --power-watts 400 --pue 1.5 --carbon-intensity 0.5
exits 0
prints "MFU" && prints "of 1.0 GFLOP/s (stated)"
prints "6 x matmul parameters + causal half of attention"
prints "x PUE 1.5 (stated 400 W)" && prints "kgCO2e at 0.5 kgCO2e/kWh"
prints "waited for data" && prints "memory of the process"

# The lines of the steps have everything, and the report is made of the lines.
for key in loss lr grad_norm tokens_per_second mfu data_wait eta_seconds memory_bytes \
  peak_memory_bytes wall_seconds energy_joules time; do
  [[ $(grep '"grad_norm"' run/metrics.jsonl | grep -c "\"$key\":") == 20 ]] || failed "no $key"
done
for event in start checkpoint finished; do
  grep -q "\"event\":\"$event\"" run/metrics.jsonl || failed "no event $event"
done
cp run/report.html first.html
grep -q 'alert(1)</script>' first.html && failed "text from data is markup in the report"
grep -q '&lt;script&gt;alert(1)' first.html || failed "the sample is not in the report"
grep -qE 'https?:|src="|href=' first.html && failed "the report has a link"
run "$LLMTOOL" report run && exits 0 && silent && says "wrote run/report.html"
cmp run/report.html first.html || failed "the report made again is another"
run "$LLMTOOL" report run -o - && exits 0 && cmp out first.html
run "$LLMTOOL" verify run && exits 0
prints "run/tensorboard/events.out.tfevents."

# Watts x time x PUE, in JSON; a run that goes on adds up, and has one file for TensorBoard.
joules=$(number run/metrics.jsonl energy_joules)
is "$joules > 0 && $joules <= 400 * $(number run/metrics.jsonl wall_seconds) + 0.5"
train -o run --steps 30 --resume --power-watts 400 --pue 1.5 --carbon-intensity 0.5 --json && exits 0
all=$(number out device_joules)
is "$all > $joules"
is "($(number out watt_hours) - $all / 3600 * 1.5) ^ 2 < 1e-12"
is "($(number out kg_co2e) - $all / 3.6e6 * 1.5 * 0.5) ^ 2 < 1e-18"
grep -qE '"peak_source":"[a-z0-9]+ .*measured at the start' out || failed "no measured peak"
[[ $(find run/tensorboard -type f | wc -l) == 1 ]] || failed "not one file for TensorBoard"
[[ $(grep -c '"event":"resume"' run/metrics.jsonl) == 1 ]] || failed "not one resume"

# Without a power, what cannot be known is said, or counters are read.
train -o plain --steps 2 && exits 0
grep -qE 'energy +not known|\(RAPL' out || failed "nothing on energy"
train -o plain --steps 3 --resume --json && exits 0
grep -qE '"energy":null|"source":"RAPL' out || failed "nothing on energy in JSON"

# Flags and folders that are wrong.
train -o x --steps 2 --pue 0.5 && exits 2 && says "--pue"
train -o x --steps 2 --power-watts -1 && exits 2 && says "--power-watts"
train -o x --steps 2 --peak-tflops fast && exits 2 && says "--peak-tflops"
run "$LLMTOOL" report data && exits 4 && says "data: there is no metrics.jsonl"
mkdir other && echo '{"loss": 1}' >other/metrics.jsonl
run "$LLMTOOL" report other && exits 3 && says "other/metrics.jsonl"
run "$LLMTOOL" report && exits 2
