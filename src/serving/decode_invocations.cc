// MLflow's scoring protocol: dataframe_split, dataframe_records, instances, inputs. Columns that the model doesn't have are ignored, as MLflow ignores them.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "serving/decoder.h"
#include "serving/decoder_impl.h"

namespace rondo::serving {
namespace {

using simdjson::dom::element_type;

std::unexpected<Error> Bad(std::string message) { return Fail(Code::kInvalid, std::move(message)); }

constexpr std::string_view kForms = "the body must have exactly one of dataframe_split, dataframe_records, instances, inputs";

Status TooManyRows() { return Fail(Code::kTooLarge, fmt::format("at most {} rows in one request", kMaxRows)); }

}  // namespace

Status Decoder::ParseInvocations() {
  Impl& in = *impl_;
  simdjson::dom::object root;
  if (in.root.get(root)) return Bad("the body must be a JSON object: " + std::string(kForms));
  std::string_view form;
  Element data;
  for (const auto& [name, value] : root) {
    if (name == "signature_name") return Bad("\"signature_name\" is not supported");
    if (name == "params" && value.type() == element_type::OBJECT) {
      std::string_view key;
      if (!value["key"].get(key) && key.size() <= 512) key_ = key;
    }
    if (name != "dataframe_split" && name != "dataframe_records" && name != "instances" && name != "inputs") continue;
    if (!form.empty()) return Bad(std::string(kForms));
    form = name;
    data = value;
  }
  if (form.empty()) return Bad(std::string(kForms));

  if (form == "dataframe_split") {
    simdjson::dom::object split;
    if (data.get(split)) return Bad("\"dataframe_split\" must be an object with columns and data");
    bool has_columns = false, has_data = false;
    simdjson::dom::array names, rows;
    for (const auto& [name, value] : split) {
      if (name == "columns") {
        if (value.get(names)) return Bad("dataframe_split: \"columns\" must be a list");
        has_columns = true;
      } else if (name == "data") {
        if (value.get(rows)) return Bad("dataframe_split: \"data\" must be a list of rows");
        in.table = value;
        has_data = true;
      } else if (name != "index") {
        return Bad(fmt::format("dataframe_split: unknown key \"{}\"; it has columns, index, data", Shown(name)));
      }
    }
    if (!has_data) return Bad("dataframe_split: \"data\" is missing");
    in.form = has_columns ? Impl::Form::kSplit : Impl::Form::kPositional;
    // A default-made array must not be walked.
    for (auto it = has_columns ? names.begin() : rows.begin(), end = has_columns ? names.end() : rows.begin(); it != end; ++it) {
      std::string_view text;
      if ((*it).get(text)) return Bad("dataframe_split: \"columns\" must be texts");
      if (in.names.size() >= kMaxColumns) return Fail(Code::kTooLarge, "too many columns");
      in.names.push_back(text);
    }
    for ([[maybe_unused]] const Element row : rows)
      if (++in.rows > kMaxRows) return TooManyRows();
  } else if (form == "inputs" && data.type() == element_type::OBJECT) {
    const simdjson::dom::object object = data.get_object().value_unsafe();
    for (const auto& [name, value] : object) {
      if (in.columns.size() >= kMaxColumns) return Fail(Code::kTooLarge, "too many columns");
      RequestColumn& column = in.columns.emplace_back();
      column.name = name;
      column.data = value;
      column.rows = 1;
      if (value.type() == element_type::ARRAY) {
        const simdjson::dom::array values = value.get_array().value_unsafe();
        column.rows = 0;
        for ([[maybe_unused]] const Element v : values)
          if (++column.rows > kMaxRows) return TooManyRows();
      }
      if (column.rows != in.columns[0].rows)
        return Bad(fmt::format("inputs: \"{}\" has {} values, \"{}\" has {}", Shown(name), column.rows, Shown(in.columns[0].name), in.columns[0].rows));
    }
    in.rows = in.columns.empty() ? 0 : in.columns[0].rows;
    in.form = Impl::Form::kColumns;
  } else {
    simdjson::dom::array rows;
    if (data.get(rows)) return Bad(fmt::format("\"{}\" must be a list", form));
    in.table = data;
    size_t objects = 0;
    for (const Element row : rows) {
      if (++in.rows > kMaxRows) return TooManyRows();
      objects += row.type() == element_type::OBJECT;
    }
    if (objects != in.rows && (objects > 0 || form == "dataframe_records")) return Bad(fmt::format("\"{}\" must be a list of objects, one a row", form));
    in.form = objects > 0 ? Impl::Form::kRecords : Impl::Form::kPositional;
  }
  if (in.rows == 0) return Bad("there are no rows");
  return {};
}

Status Decoder::BindFrame(const Columns& columns, BoundRows& out) {
  Impl& in = *impl_;
  const auto& list = columns.list();
  const simdjson::dom::array table = in.table.get_array().value_unsafe();
  // Where the values of a row go; -1 nowhere.
  in.present.assign(list.size(), 0);
  in.targets.clear();
  size_t hint = 0;
  auto place = [&](std::string_view name) -> Result<int> {
    const int at = columns.Find(name, hint);
    if (at >= 0) {
      if (in.present[static_cast<size_t>(at)]) return Bad(fmt::format("the column \"{}\" is there twice", Shown(name)));
      in.present[static_cast<size_t>(at)] = 1;
      hint = static_cast<size_t>(at) + 1;
    }
    return at;
  };
  if (in.form == Impl::Form::kSplit) {
    for (const std::string_view name : in.names) {
      RONDO_TRY(const int at, place(name));
      in.targets.push_back(at);
    }
  } else if (in.form == Impl::Form::kPositional) {
    for (size_t i = 0; i < list.size(); ++i) in.targets.push_back(static_cast<int>(i));
    in.present.assign(list.size(), 1);
  }
  const bool records = in.form == Impl::Form::kRecords;
  if (!records && std::count(in.present.begin(), in.present.end(), 1) != static_cast<std::ptrdiff_t>(list.size())) return std::unexpected(columns.Missing(in.present));
  Prepare(columns, in.rows, out);
  if (records) {
    // A record may lack a column: missing there.
    for (auto& numbers : out.batch.numbers) std::fill(numbers.begin(), numbers.end(), std::numeric_limits<float>::quiet_NaN());
    for (auto& texts : out.batch.texts) std::fill(texts.begin(), texts.end(), std::string_view());
  }
  auto put = [&](int at, size_t row, Element value) -> Status {
    const char* wrong = nullptr;
    if (at == kKeyColumn) {
      if (out.keys.empty()) out.keys.resize(in.rows);
      wrong = ToText(value, Datatype::kAny, out.made, out.keys[row]);
      if (wrong) return Bad(fmt::format("the key column \"{}\", row {}: {}", Shown(columns.key()), row + 1, wrong));
    } else if (at >= 0) {
      wrong = PutCell(list[static_cast<size_t>(at)], static_cast<size_t>(at), row, value, Datatype::kAny, out);
      if (wrong) return std::unexpected(CellError(list[static_cast<size_t>(at)], row, wrong));
    }
    return {};
  };
  size_t row = 0;
  for (const Element item : table) {
    if (records) {
      const simdjson::dom::object object = item.get_object().value_unsafe();
      size_t field = 0;
      for (const auto& [name, value] : object) {
        const int at = columns.Find(name, field++);
        if (at >= 0) in.present[static_cast<size_t>(at)] = 1;
        RONDO_DO(put(at, row, value));
      }
    } else if (item.type() == element_type::ARRAY) {
      const simdjson::dom::array values = item.get_array().value_unsafe();
      size_t field = 0;
      for (const Element value : values) {
        if (field >= in.targets.size()) break;
        RONDO_DO(put(in.targets[field], row, value));
        ++field;
      }
      if (field != in.targets.size() || field != values.size()) return Bad(fmt::format("row {} must have {} values, in the order of the columns", row + 1, in.targets.size()));
    } else if (in.targets.size() == 1) {
      RONDO_DO(put(in.targets[0], row, item));
    } else {
      return Bad(fmt::format("row {} must be a list of {} values", row + 1, in.targets.size()));
    }
    ++row;
  }
  if (records && std::count(in.present.begin(), in.present.end(), 1) != static_cast<std::ptrdiff_t>(list.size())) return std::unexpected(columns.Missing(in.present));
  return {};
}

Status Decoder::BindColumns(const Columns& columns, BoundRows& out) {
  Impl& in = *impl_;
  const auto& list = columns.list();
  Prepare(columns, in.rows, out);
  in.present.assign(list.size(), 0);
  size_t hint = 0;
  for (const RequestColumn& column : in.columns) {
    const int at = columns.Find(column.name, hint);
    if (at == kUnknownColumn || at == kTargetColumn) continue;
    if (at >= 0) {
      in.present[static_cast<size_t>(at)] = 1;
      hint = static_cast<size_t>(at) + 1;
    } else {
      out.keys.resize(in.rows);
    }
    auto put = [&](size_t row, Element value) -> Status {
      // One value, or a list of just one ([[1], [2]] is a column vector).
      if (value.type() == element_type::ARRAY) {
        const simdjson::dom::array inner = value.get_array().value_unsafe();
        if (inner.size() != 1) return Bad(fmt::format("inputs: \"{}\", row {}: must be a single value", Shown(column.name), row + 1));
        value = inner.at(0).value_unsafe();
      }
      const char* wrong = at >= 0 ? PutCell(list[static_cast<size_t>(at)], static_cast<size_t>(at), row, value, Datatype::kAny, out) : ToText(value, Datatype::kAny, out.made, out.keys[row]);
      if (wrong) return Bad(fmt::format("inputs: \"{}\", row {}: {}", Shown(column.name), row + 1, wrong));
      return {};
    };
    if (column.data.type() != element_type::ARRAY) {
      RONDO_DO(put(0, column.data));
      continue;
    }
    const simdjson::dom::array values = column.data.get_array().value_unsafe();
    size_t row = 0;
    for (const Element value : values) RONDO_DO(put(row++, value));
  }
  if (std::count(in.present.begin(), in.present.end(), 1) != static_cast<std::ptrdiff_t>(list.size())) return std::unexpected(columns.Missing(in.present));
  return {};
}

}  // namespace rondo::serving
