/// Batch scoring: a table of raw rows in, keys, scores and decisions out. Works through the rows in pieces of 65,536, so memory stays bounded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "model/scorer.h"
#include "project/spec.h"
#include "table/table.h"
#include "workspace/workspace.h"

namespace rondo::serving {

/// A model for batches: where it came from, and its scorer.
struct BatchModel {
  std::string name;  ///< "churn/7", or the file
  std::unique_ptr<model::Scorer> scorer;
};
/// MODEL of the command line: an .onnx file with signature.json beside it, a folder with both, or a reference (name@alias, name/version, name), for which
/// `workspace` is asked (null: kInvalid).
Result<BatchModel> OpenBatchModel(workspace::Workspace* workspace, const std::string& model);

struct BatchSummary {
  int64_t rows = 0;
  std::string key;  ///< the column that names the rows; empty: a row is its content's hash plus its occurrence number
  std::vector<std::pair<std::string, int64_t>> decisions;  ///< classes with their rows; empty for regression
};
/// `data`: file, folder or glob (CSV, Parquet, JSON, NDJSON, gzip). `out`: CSV when it ends in .csv, else Parquet. Written atomically.
/// Columns: key, score (P(positive) or the prediction) or score_<class>, decision: as out/predictions/test.parquet without the label.
/// Reads `spec` (format, delimiter, encoding, decimal, nulls) when the data are a dataset of the project; may be null. kInvalid names a column that is missing.
Result<BatchSummary> ScoreTable(const model::Scorer& scorer, const std::filesystem::path& data, const project::Dataset* spec, const std::filesystem::path& out);

}  // namespace rondo::serving
