// Labels from a table.
#include "monitor/label_file.h"

#include <fmt/format.h>

#include <cmath>

#include "base/clock.h"
#include "table/table.h"

namespace rondo::monitor {
namespace {

const table::Column* FirstOf(const table::Frame& frame, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (!name.empty())
      if (const table::Column* column = frame.Find(name)) return column;
  return nullptr;
}

std::string NamesOf(const table::Frame& frame) {
  std::string out;
  for (size_t i = 0; i < frame.columns.size() && i < 20; ++i) out += (i ? ", " : "") + frame.columns[i].name;
  return out;
}

}  // namespace

Result<LabelFile> ReadLabelFile(const std::filesystem::path& file, const LabelColumns& columns) {
  RONDO_TRY(table::Frame frame, table::ReadTable(file));
  const auto pick = [&](const table::Frame& f, const table::Column*& id, const table::Column*& key, const table::Column*& label) {
    id = columns.key == "id" ? nullptr : FirstOf(f, {"id"});
    if (!id) id = FirstOf(f, {"prediction_id"});
    key = FirstOf(f, {columns.key, "key"});
    label = FirstOf(f, {columns.target, "label"});
  };
  const table::Column *id = nullptr, *key = nullptr, *label = nullptr;
  pick(frame, id, key, label);
  const std::string hint = "its columns: " + NamesOf(frame);
  if (!id && !key)
    return Fail(Code::kFailedCheck, fmt::format("{} names no predictions: it needs a column id{}", file.filename().string(), columns.key.empty() ? " or key" : ", or the key " + columns.key), hint);
  if (!label) return Fail(Code::kFailedCheck, fmt::format("{} has no labels: it needs a column {}", file.filename().string(), columns.target.empty() ? "label" : columns.target + " or label"), hint);
  // "007" is a key and "1.50" a label of its own spelling: they are read again as texts where that can be asked for.
  table::ReadOptions options;
  for (const table::Column* column : {id, key, label})
    if (column && column->numeric()) options.types.emplace_back(column->name, table::Type::kString);
  if (!options.types.empty()) {
    if (auto texts = table::ReadTable(file, options)) frame = std::move(*texts);
    pick(frame, id, key, label);
  }
  const table::Column* time = FirstOf(frame, {"label_time", "time"});
  if (time == key || time == label) time = nullptr;
  LabelFile out;
  for (size_t i = 0; i < frame.rows(); ++i) {
    LabelRow row;
    if (label->IsMissing(i)) {
      ++out.unlabelled;
      continue;
    }
    row.label = label->Text(i);
    if (id) row.id = id->Text(i);
    if (row.id.empty() && key) row.key = key->Text(i);
    if (row.id.empty() && row.key.empty()) return Fail(Code::kFailedCheck, fmt::format("{}, row {}: has a label but neither id nor key", file.filename().string(), i + 1));
    if (time && !time->IsMissing(i)) {
      if (time->numeric()) {
        row.time = static_cast<int64_t>(time->numbers[i]);
      } else {
        auto parsed = ParseTime(time->strings[i]);
        if (!parsed) return Fail(Code::kFailedCheck, fmt::format("{}, row {}, column {}: {}", file.filename().string(), i + 1, time->name, parsed.error().message));
        row.time = *parsed;
      }
    }
    out.rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace rondo::monitor
