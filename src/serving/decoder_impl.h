/// What a parsed request looks like inside the decoder. Heavy header, .cc files of the decoder only.
#pragma once

#include "serving/cells.h"

namespace rondo::serving {

/// One input of an OIP request, or one column of MLflow's `inputs`.
struct RequestColumn {
  std::string_view name;
  Datatype datatype = Datatype::kAny;
  size_t rows = 0;
  Element data;
};

struct Decoder::Impl {
  simdjson::dom::parser parser;
  std::string patched;                  ///< the body with bare NaN and Infinity made JSON
  Element root;

  enum class Form { kNone, kOip, kColumns, kSplit, kRecords, kPositional, kCsv } form = Form::kNone;
  std::vector<RequestColumn> columns;   ///< kOip, kColumns
  std::vector<std::string_view> names;  ///< kSplit, kCsv: of the columns
  Element table;                        ///< kSplit, kPositional: array of rows; kRecords: array of objects
  size_t rows = 0;                      ///< kColumns, kSplit, kRecords, kPositional, kCsv
  std::vector<std::string_view> cells;  ///< kCsv: row by row
  std::deque<std::string> unquoted;     ///< kCsv: texts that had doubled quotes

  // Scratch of Bind.
  std::vector<char> present;
  std::vector<int> targets;
};

/// Most rows of one request: a body limit alone would allow 30 million nulls.
inline constexpr size_t kMaxRows = 1'000'000;
inline constexpr size_t kMaxColumns = 20'000;

}  // namespace rondo::serving
