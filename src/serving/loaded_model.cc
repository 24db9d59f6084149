#include "serving/loaded_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/hash.h"

namespace rondo::serving {

LoadedModel::LoadedModel(std::string name, int64_t version, std::unique_ptr<model::Scorer> scorer)
    : name_(std::move(name)),
      version_text_(std::to_string(version)),
      version_(version),
      scorer_(std::move(scorer)),
      columns_(scorer_->signature()),
      width_(scorer_->signature().task == project::Task::regression ? 1 : scorer_->signature().classes.size()) {}

Result<std::shared_ptr<const LoadedModel>> LoadedModel::Make(std::string name, int64_t version, std::unique_ptr<model::Scorer> scorer) {
  std::shared_ptr<LoadedModel> loaded(new LoadedModel(std::move(name), version, std::move(scorer)));
  model::InputBatch batch;
  batch.rows = 1;
  for (const ServedColumn& column : loaded->columns_.list()) {
    batch.numbers.emplace_back(column.numeric ? 1 : 0, std::numeric_limits<float>::quiet_NaN());
    batch.texts.emplace_back(column.numeric ? 0 : 1);
  }
  // The first calls of a runtime allocate and page in; they are not a client's to pay.
  model::Scores scores;
  for (int i = 0; i < 3; ++i) {
    if (Status status = loaded->scorer_->Score(batch, scores); !status) return Wrap(std::move(status).error(), fmt::format("{}/{}: scoring a first row", loaded->name_, version));
    if (scores.width != loaded->width_ || scores.values.size() != loaded->width_)
      return Fail(Code::kFailedCheck, fmt::format("{}/{} answers {} numbers a row, its signature says {}", loaded->name_, version, scores.values.size(), loaded->width_));
  }
  return loaded;
}

Result<std::shared_ptr<const LoadedModel>> LoadVersion(workspace::Workspace& workspace, const registry::Version& version) {
  const std::string what = fmt::format("loading {}/{}", version.name, version.version);
  auto load = [&]() -> Result<std::shared_ptr<const LoadedModel>> {
    RONDO_TRY(const std::filesystem::path onnx, workspace.ArtifactPath(version.source, "model.onnx"));
    RONDO_TRY(const std::filesystem::path signature_file, workspace.ArtifactPath(version.source, "signature.json"));
    if (!version.digest.empty()) {
      RONDO_TRY(const FileDigest digest, HashFile(onnx, HashKind::kSha256));
      if (digest.hex != version.digest)
        return Fail(Code::kFailedCheck, fmt::format("model.onnx has the SHA-256 {}, the version was registered with {}", digest.hex.substr(0, 12), version.digest.substr(0, 12)),
                    "the file was changed after it was registered: restore it, or register the model again");
    }
    RONDO_TRY(const model::Signature signature, model::ReadSignature(signature_file));
    RONDO_TRY(auto scorer, model::LoadScorer(onnx, signature));
    return LoadedModel::Make(version.name, version.version, std::move(scorer));
  };
  auto loaded = load();
  if (!loaded) return Wrap(std::move(loaded).error(), what);
  return loaded;
}

float WatchedScore(const model::Signature& signature, const model::Scores& scores, size_t row) {
  if (signature.task != project::Task::multiclass) return scores.Score(row);
  const float* p = scores.values.data() + row * scores.width;
  return *std::max_element(p, p + scores.width);
}

}  // namespace rondo::serving
