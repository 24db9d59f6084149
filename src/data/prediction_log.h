/// The prediction log: append-only, checksummed segments per endpoint (docs/formats/prediction_log.md). One writer, many readers.
/// A half-written tail after kill -9 is cut off at the next open; nothing before it is lost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace rondo::data {

struct Prediction {
  std::string id;             ///< 32 hex digits, in the answer
  int64_t time = 0;           ///< ms
  std::string model;          ///< registered model
  int64_t version = 0;
  std::string variant;        ///< "champion", "challenger", "shadow"
  bool shadow = false;        ///< scored beside, not answered
  std::string key;            ///< the caller's row key; may be empty
  std::vector<float> numbers;       ///< raw inputs: numeric columns in the signature's order
  std::vector<std::string> texts;   ///< raw inputs: text columns in the signature's order
  std::vector<float> scores;        ///< Scores' row
  std::string decision;
  float latency_us = 0;
};

class PredictionWriter {
 public:
  virtual ~PredictionWriter() = default;
  /// Not thread-safe. Written, not synced: call Sync() about once a second. On an error (full disk) nothing of the records that
  /// were not yet in the file stays behind, and the next call tries again. A record over 32 MiB is kTooLarge and left out.
  virtual Status Append(const std::vector<Prediction>& batch) = 0;
  virtual Status Sync() = 0;
};
struct PredictionWriterOptions {
  uint64_t segment_bytes = 64u << 20;
};
/// `folder`: predictions/<endpoint>. Segments roll at 64 MiB. kConflict while another writer holds the folder.
Result<std::unique_ptr<PredictionWriter>> OpenPredictionWriter(const std::filesystem::path& folder, const PredictionWriterOptions& options = {});

/// A position in the log: what has been read.
struct LogPosition {
  int64_t segment = 0;
  uint64_t offset = 0;
};
/// Calls `each` for the records from `position` on, and moves it; stops when `each` returns false (that record counts as read). Tolerates a tail that
/// is being written. A missing folder is an empty log.
Status ReadPredictions(const std::filesystem::path& folder, LogPosition& position, const std::function<bool(const Prediction&)>& each);
/// By id, newest segment first: binary search in the index of sealed segments, a scan of the open one. A shadow's record has the id of the answer that it
/// shadows: the answer comes back, the shadow's only when the log has no other. kNotFound when the log doesn't have it.
Result<Prediction> FindPrediction(const std::filesystem::path& folder, const std::string& id);

}  // namespace rondo::data
