#include "steps/feedback.h"

#include <fmt/format.h>

#include <unordered_set>

#include "table/table.h"

namespace rondo::steps {

std::filesystem::path FeedbackFile(const Context& c, const project::Dataset& spec) { return c.Path("out/feedback/" + spec.name + ".parquet"); }

Result<int64_t> AppendFeedback(const Context& c, const project::Dataset& spec, const std::filesystem::path& parquet) {
  std::error_code ec;
  const std::filesystem::path file = FeedbackFile(c, spec);
  if (c.project.retrain.feedback != "append" || !c.project.problem || c.project.problem->data != spec.name || !std::filesystem::exists(file, ec)) return 0;
  RONDO_TRY(table::Frame base, table::ReadTable(parquet));
  RONDO_TRY(const table::Frame fed, table::ReadTable(file));
  std::unordered_set<std::string> known;
  const table::Column* fed_key = nullptr;
  if (!c.project.problem->key.empty()) {
    fed_key = fed.Find(c.project.problem->key);
    if (const table::Column* key = base.Find(c.project.problem->key))
      for (size_t i = 0; i < key->size(); ++i) known.insert(key->Text(i));
  }
  std::vector<size_t> rows;
  for (size_t i = 0; i < fed.rows(); ++i)
    if (!fed_key || !known.contains(fed_key->Text(i))) rows.push_back(i);
  if (rows.empty()) return 0;
  for (table::Column& column : base.columns) {
    const table::Column* from = fed.Find(column.name);
    if (from && from->numeric() != column.numeric())
      return Fail(Code::kFailedCheck, fmt::format("the labelled predictions have \"{}\" as {}, the dataset as {}", column.name, table::TypeName(from->type), table::TypeName(column.type)));
    for (const size_t row : rows) {
      if (column.numeric()) {
        column.numbers.push_back(from ? from->numbers[row] : std::numeric_limits<double>::quiet_NaN());
      } else {
        column.strings.push_back(from ? from->strings[row] : std::string());
        column.missing.push_back(from ? from->missing[row] : 1);
      }
    }
  }
  // The judgement on personal columns stands for the rows that ingest saw; what is fed back has none of them.
  RONDO_TRY(const std::string note, table::ReadNote(parquet));
  RONDO_DO(table::WriteParquet(base, parquet, note));
  return static_cast<int64_t>(rows.size());
}

}  // namespace rondo::steps
