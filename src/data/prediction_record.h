/// Bytes of the prediction log: headers, records, index (docs/formats/prediction_log.md). Pure functions over memory; internal to data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/prediction_log.h"

namespace rondo::data::log {

inline constexpr size_t kHeaderBytes = 32;
inline constexpr size_t kFrameBytes = 8;   ///< length and checksum before each payload
inline constexpr size_t kMaxPayload = 32u << 20;
inline constexpr uint8_t kPredictionKind = 1, kIndexKind = 2;
inline constexpr std::string_view kIndexMagic = "RPLINDEX";
inline constexpr size_t kTrailerBytes = 12;  ///< payload length and magic at the end of an index record
inline constexpr size_t kEntryBytes = 12;

std::string Header(int64_t segment);
bool HeaderIsGood(std::string_view bytes, int64_t segment);

/// Appends frame and payload of one prediction; `offset`: where the record will begin in its segment.
void AppendPrediction(std::string& out, const Prediction& prediction, uint64_t offset);
/// Hash of an id and the offset of its record.
using IndexEntry = std::pair<uint64_t, uint32_t>;
/// Sorts the entries and appends frame and payload.
void AppendIndex(std::string& out, std::vector<IndexEntry>& entries, uint64_t offset);

/// What stands at a place.
enum class Found {
  kRecord,  ///< whole and checked
  kShort,   ///< goes past the end of the bytes: more may come
  kBad,     ///< the frame is whole, the checksum is wrong
  kBroken,  ///< the length can't be: nothing after it can be found
};
struct Frame {
  Found found = Found::kShort;
  std::string_view payload;  ///< kRecord only
  size_t bytes = 0;          ///< of frame and payload; kRecord, kBad; kShort: what is needed, as far as known
};
/// `bytes` begin at `offset` of the segment.
Frame ReadFrame(std::string_view bytes, uint64_t offset);
/// Empty when the payload is no prediction of this format.
std::optional<Prediction> DecodePrediction(std::string_view payload);

}  // namespace rondo::data::log
