/// The fitted preparation as data: what every evaluator (own program, ONNX graph) is made from. docs/formats/features.md shows it as JSON.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/scorer.h"

namespace rondo::model {

enum class ValueKind { input, date, derived };
BOOST_DESCRIBE_ENUM(ValueKind, input, date, derived)

enum class DatePart { year, month, day, weekday, hour, days_since };
BOOST_DESCRIBE_ENUM(DatePart, year, month, day, weekday, hour, days_since)

/// A float32 number per row: a raw numeric column, a part of a date, or an expression over values before it.
/// Anything that isn't finite is missing (NaN) from here on.
struct PlanValue {
  std::string name;
  ValueKind kind = ValueKind::input;
  size_t input = 0;                        ///< input, date: which raw column
  DatePart part = DatePart::year;          ///< date
  std::string expression;                  ///< derived
};
BOOST_DESCRIBE_STRUCT(PlanValue, (), (name, kind, input, part, expression))

enum class BlockKind { number, missing, bins, levels, text };
BOOST_DESCRIBE_ENUM(BlockKind, number, missing, bins, levels, text)

/// One or more matrix columns. number, missing and bins take a value; levels and text take a raw text column.
struct PlanBlock {
  BlockKind kind = BlockKind::number;
  std::string name;
  size_t source = 0;               ///< index into values, or into inputs
  std::optional<double> fill;      ///< number, bins: replaces missing; absent: missing stays NaN
  double offset = 0, scale = 1;    ///< number: (x - offset) * scale in float32
  std::vector<double> edges;       ///< bins: rising; bin = number of edges <= x
  bool onehot = true;              ///< bins, levels
  std::vector<std::string> levels; ///< levels: in the order of the columns or codes
  std::vector<std::string> rare;   ///< levels: texts that share the column (or code) after the levels
  bool rare_column = false;        ///< there is such a column; true whenever `rare` isn't empty or unknown texts go there
  bool unknown_is_rare = false;    ///< else unknown: all zeros, code -1
  bool missing_column = false;     ///< onehot: "" has a column of its own, the last one; else all zeros. Codes: "" is always -2
  std::vector<std::string> terms;  ///< text: vocabulary
  std::vector<double> weights;     ///< text: inverse document frequency of each term
};
BOOST_DESCRIBE_STRUCT(PlanBlock, (), (kind, name, source, fill, offset, scale, edges, onehot, levels, rare, rare_column, unknown_is_rare, missing_column, terms, weights))

constexpr float kMissingCode = -2, kUnknownCode = -1;

struct Plan {
  int64_t version = 1;
  int64_t reference_time_ms = 0;  ///< days_since counts whole UTC days up to this one
  std::vector<InputColumn> inputs;
  std::vector<PlanValue> values;
  std::vector<PlanBlock> blocks;
  std::vector<std::string> warnings;
};
BOOST_DESCRIBE_STRUCT(Plan, (), (version, reference_time_ms, inputs, values, blocks, warnings))

bool IsNumericType(std::string_view type);  ///< int, float, bool

/// Columns that a block makes.
size_t BlockWidth(const PlanBlock& block);
/// Names of the matrix' columns and the raw inputs they come from.
struct PlanColumns {
  std::vector<std::string> names;
  std::vector<size_t> sources;
};
PlanColumns ColumnsOf(const Plan& plan);

/// Only what the block's kind uses is written, so the file stays readable.
Json PlanToJson(const Plan& plan);
/// Checks every index, size and number: a plan that is read back can't read outside anything.
Result<Plan> PlanFromJson(const Json& json);

}  // namespace rondo::model
