/// Small readings that several steps share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "model/evaluate.h"
#include "model/scorer.h"
#include "model/train.h"
#include "steps/step.h"
#include "table/table.h"

namespace rondo::steps {

inline constexpr const char* kParts[] = {"train", "validation", "test"};

/// Name of the column that holds the row key in out/split/*.parquet: the problem's key, else "row_key" (content hash + occurrence).
std::string KeyColumn(const project::Problem& problem);
Result<table::Frame> ReadPart(const Context& c, const std::string& part);
Result<data::IngestResult> ReadIngest(const Context& c, const std::string& dataset);

/// The raw feature columns with their logical types: all but key, target, weight and `features.drop`.
std::vector<model::InputColumn> FeatureColumns(const Context& c, const table::Frame& part);

/// Class texts in order: binary [negative, positive], multiclass sorted; empty for regression.
Result<std::vector<std::string>> Classes(const project::Problem& problem, const table::Frame& train);
/// Target and weights as numbers. Values that training didn't have are errors (kFailedCheck).
Result<model::Labels> LabelsOf(const project::Problem& problem, const std::vector<std::string>& classes, const table::Frame& part, bool log1p);
std::vector<double> Doubles(const std::vector<float>& values);

/// Scores a part with a loaded model.
Result<model::Scored> ScorePart(const model::Scorer& scorer, const project::Problem& problem, const table::Frame& part, const model::Labels& labels);
/// Native or runtime output values ([row][classes] or [row]) -> Scored.
model::Scored MakeScored(const model::Signature& signature, const std::vector<float>& values, const model::Labels& labels);

/// Git commit of the project folder; empty without a repository. `dirty` says whether tracked files differ.
struct Commit {
  std::string id;
  bool dirty = false;
};
Commit CurrentCommit(const std::filesystem::path& root);
/// SHA-256 of the resolved config's JSON.
std::string ConfigHash(const project::Project& project);

}  // namespace rondo::steps
