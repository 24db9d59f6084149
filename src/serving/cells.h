/// Single values of a request into the numbers and texts that models take. Internal to the decoders; heavy header, .cc files only.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "base/json_dom.h"
#include "base/result.h"
#include "serving/columns.h"
#include "serving/decoder.h"

namespace rondo::serving {

using Element = simdjson::dom::element;

/// How a value may be written: by OIP's datatype, or anything sensible (MLflow's forms).
enum class Datatype { kAny, kBool, kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64, kFloat, kBytes };
/// "FP32" -> kFloat. False for names that the protocol doesn't have.
bool ParseDatatype(std::string_view name, Datatype& out);

/// Each returns nullptr, or what is wrong with the value ("must be a number").
const char* ToNumber(Element value, Datatype datatype, bool boolean, float& out);
const char* ToText(Element value, Datatype datatype, std::deque<std::string>& made, std::string_view& out);
/// The same for a text of a CSV file, or a text that stands for a number.
const char* TextToNumber(std::string_view text, bool boolean, float& out);

/// 'input "tenure", row 3: must be a number'
Error CellError(const ServedColumn& column, size_t row, const char* what);

/// Empties `out` and makes room for `rows` rows of `columns`.
void Prepare(const Columns& columns, size_t rows, BoundRows& out);
/// Puts one value at its place.
inline const char* PutCell(const ServedColumn& column, size_t index, size_t row, Element value, Datatype datatype, BoundRows& out) {
  return column.numeric ? ToNumber(value, datatype, column.boolean, out.batch.numbers[index][row]) : ToText(value, datatype, out.made, out.batch.texts[index][row]);
}

}  // namespace rondo::serving
