#include "lib/train/run_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/machine.h"
#include "lib/base/version.h"
#include "lib/train/peaks.h"

namespace llmtool {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kChecksum = "train_checksum";

// Where two fingerprints differ: "lr was 0.001, is 0.002"; empty if they do not.
std::string changed_options(const Json& then_options, const Json& now_options) {
  const nlohmann::json then = nlohmann::json(then_options).flatten();
  const nlohmann::json now = nlohmann::json(now_options).flatten();
  auto all = now;
  all.update(then);
  std::string changed;
  for (const auto& [path, ignored] : all.items()) {
    const auto before = then.value(path, nlohmann::json()),
               after = now.value(path, nlohmann::json());
    if (before == after) continue;
    changed += concat(changed.empty() ? "" : "; ", path.substr(path.rfind('/') + 1), " was ",
                      before.dump(), ", is ", after.dump());
  }
  return changed;
}

int64_t steps_of(const Json& options) {
  const auto steps = options.find("steps");
  return steps != options.end() && steps->is_number_integer() ? steps->get<int64_t>() : 0;
}

Json training_json(const TrainOptions& o, const Model& model) {
  return {{"compute_dtype", std::string(name_of(model.parameters().dtype()))},
          {"steps", o.steps},
          {"seq_len", o.seq_len},
          {"batch_size", o.batch_size},
          {"grad_accum", o.grad_accum},
          {"lr", o.lr},
          {"min_lr_ratio", o.min_lr_ratio},
          {"warmup_steps", o.warmup_steps},
          {"schedule", o.schedule},
          {"beta1", o.adamw.beta1},
          {"beta2", o.adamw.beta2},
          {"eps", o.adamw.eps},
          {"weight_decay", o.adamw.weight_decay},
          {"clip", o.adamw.clip},
          {"seed", o.seed}};
}

std::string folder_of(const TokenDataset& data) {
  return data.shards().empty() ? "" : data.shards().front().prefix().parent_path().string();
}

Json data_json(const TrainingData& data, const TrainOptions& o) {
  Json json = {{"train", folder_of(*data.train)},
               {"train_tokens", data.train->tokens()},
               {"train_documents", data.train->documents()}};
  if (!data.train_checksum.empty()) json[kChecksum] = data.train_checksum;
  const double tokens = static_cast<double>(o.batch_size * o.grad_accum * o.seq_len * o.steps);
  json["epochs"] = tokens / static_cast<double>(std::max<int64_t>(1, data.train->tokens()));
  if (data.validation != nullptr) {
    json["validation"] = folder_of(*data.validation);
    json["validation_tokens"] = data.validation->tokens();
  }
  json["documents_attend_to_each_other"] = data.document_end < 0;
  return json;
}

}  // namespace

std::string options_fingerprint(const TrainOptions& o, const Model& model,
                                const TrainingData& data) {
  Json json = {{"model", Json::parse(to_json(model.config()))}};
  json.update(training_json(o, model));
  json["document_end"] = data.document_end;
  json["train_tokens"] = data.train->tokens();
  json["train_documents"] = data.train->documents();
  if (!data.train_checksum.empty()) json[kChecksum] = data.train_checksum;
  return json.dump();
}

std::string check_resumable(const std::string& then_text, const std::string& now_text,
                            const Schedule& schedule, const std::string& where) {
  Json then = Json::parse(then_text), now = Json::parse(now_text);
  if (!then.contains(kChecksum) || !now.contains(kChecksum)) {
    then.erase(kChecksum);
    now.erase(kChecksum);
  }
  const int64_t before = steps_of(then), after = steps_of(now);
  const bool extended = before > 0 && after > before;
  if (extended) then["steps"] = after;
  const std::string changed = changed_options(then, now);
  if (!changed.empty()) {
    fail(Fault::kUsage, concat(where, ": made with other options: ", changed),
         "give the same ones to go on with it (--steps may be larger), or another --output");
  }
  if (!extended) return {};
  const std::string text = concat(after, " steps instead of ", before);
  if (!schedule.knows_end) return text + ": as a run of so many steps from the start";
  return concat(
      text, ": the ", schedule.name,
      " schedule is computed anew for all steps, so the learning rate jumps here, and the "
      "result is not that of a run of so many steps from the start");
}

PeakFlops peak_flops(double stated, DType dtype, Stream& stream) {
  if (stated > 0) return {stated, "stated"};
  if (stream.device != Device::kCpu) return {};
  constexpr int kRounds = 7;
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    best = std::max(best, measure_flops(dtype, stream));
  }
  return {best,
          concat(name_of(dtype), " multiply-adds, measured at the start, ", name_of(stream.isa),
                 ", ", stream.threads(), stream.threads() == 1 ? " thread" : " threads")};
}

std::string run_settings(const TrainOptions& o, const Model& model, const TrainingData& data,
                         const PeakFlops& peak, const std::string& energy_source,
                         const Stream& stream) {
  Json training = training_json(o, model);
  training["tokens_per_step"] = o.batch_size * o.grad_accum * o.seq_len;
  Json shape = Json::parse(to_json(model.config()));
  shape["parameters"] = model.parameters().count();
  const Json json = {{"steps", o.steps},
                     {"flops_per_token", model.config().training_flops_per_token(o.seq_len)},
                     {"peak_flops_per_second", peak.per_second},
                     {"peak_source", peak.source},
                     {"energy_source", energy_source},
                     {"pue", o.pue},
                     {"carbon_intensity", o.carbon_intensity},
                     {"training", training},
                     {"model", shape},
                     {"data", data_json(data, o)},
                     {"machine",
                      {{"llmtool", std::string(version())},
                       {"cpu", cpu_model()},
                       {"device", std::string(name_of(stream.device))},
                       {"isa", std::string(name_of(stream.isa))},
                       {"threads", stream.threads()}}}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace llmtool
