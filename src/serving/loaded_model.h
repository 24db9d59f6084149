/// A model version in memory, checked and warm: what variants of an endpoint point to. Immutable, shared by snapshots.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "model/scorer.h"
#include "registry/registry.h"
#include "serving/columns.h"
#include "workspace/workspace.h"

namespace rondo::serving {

class LoadedModel {
 public:
  /// Scores a row of missing values a few times: the model must answer with the width that its signature says. kFailedCheck when it doesn't.
  static Result<std::shared_ptr<const LoadedModel>> Make(std::string name, int64_t version, std::unique_ptr<model::Scorer> scorer);

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  const std::string& version_text() const { return version_text_; }
  const model::Scorer& scorer() const { return *scorer_; }
  const model::Signature& signature() const { return scorer_->signature(); }
  const Columns& columns() const { return columns_; }
  size_t width() const { return width_; }  ///< scores per row

 private:
  LoadedModel(std::string name, int64_t version, std::unique_ptr<model::Scorer> scorer);
  std::string name_, version_text_;
  int64_t version_;
  std::unique_ptr<model::Scorer> scorer_;
  Columns columns_;
  size_t width_;
};

/// Loads a registered version from its artifacts. The bytes must have the digest that the version was registered (and approved) with.
Result<std::shared_ptr<const LoadedModel>> LoadVersion(workspace::Workspace& workspace, const registry::Version& version);

/// The score that is watched and compared: P(positive), the highest probability (multiclass), or the prediction.
float WatchedScore(const model::Signature& signature, const model::Scores& scores, size_t row);

}  // namespace rondo::serving
