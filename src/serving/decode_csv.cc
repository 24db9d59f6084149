// text/csv bodies (RFC 4180) with a header line, as MLflow's scoring server takes them. Only the empty field is missing.
#include <fmt/format.h>

#include <algorithm>

#include "serving/decoder.h"
#include "serving/decoder_impl.h"

namespace rondo::serving {
namespace {

std::unexpected<Error> Bad(std::string message) { return Fail(Code::kInvalid, std::move(message)); }

/// Reads one field at `at`; leaves `at` behind its comma or line end. `last`: the line ended with it.
Status ReadField(std::string_view body, size_t& at, size_t line, std::deque<std::string>& unquoted, std::string_view& out, bool& last) {
  if (at < body.size() && body[at] == '"') {
    const size_t begin = ++at;
    bool doubled = false;
    while (true) {
      const size_t quote = body.find('"', at);
      if (quote == std::string_view::npos) return Bad(fmt::format("CSV, line {}: a quote is never closed", line));
      at = quote + 1;
      if (at >= body.size() || body[at] != '"') break;
      doubled = true;
      ++at;
    }
    out = body.substr(begin, at - 1 - begin);
    if (doubled) {
      std::string& text = unquoted.emplace_back();
      for (size_t i = 0; i < out.size(); ++i) {
        text += out[i];
        if (out[i] == '"') ++i;
      }
      out = text;
    }
  } else {
    const size_t end = std::min(body.find_first_of(",\r\n", at), body.size());
    out = body.substr(at, end - at);
    if (out.find('"') != std::string_view::npos) return Bad(fmt::format("CSV, line {}: a quote inside a field that isn't quoted", line));
    at = end;
  }
  last = true;
  if (at >= body.size()) return {};
  if (body[at] == ',') {
    ++at;
    last = false;
  } else if (body[at] == '\n') {
    ++at;
  } else if (body[at] == '\r') {
    at += at + 1 < body.size() && body[at + 1] == '\n' ? 2 : 1;
  } else {
    return Bad(fmt::format("CSV, line {}: text after a closing quote", line));
  }
  return {};
}

}  // namespace

Status Decoder::ParseCsv(std::string_view body) {
  Impl& in = *impl_;
  if (!simdjson::validate_utf8(body.data(), body.size())) return Bad("the CSV is not UTF-8");
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  size_t at = 0, line = 1;
  bool header = true;
  while (at < body.size()) {
    if (body[at] == '\n' || body[at] == '\r') {  // an empty line
      ++at;
      continue;
    }
    size_t fields = 0;
    for (bool last = false; !last; ++fields) {
      std::string_view field;
      RONDO_DO(ReadField(body, at, line, in.unquoted, field, last));
      // "a," at the very end: one more, empty field.
      if (header) in.names.push_back(field);
      else in.cells.push_back(field);
      if (fields > kMaxColumns) return Fail(Code::kTooLarge, "too many columns");
    }
    if (!header && fields != in.names.size()) return Bad(fmt::format("CSV, line {}: {} fields, the header has {}", line, fields, in.names.size()));
    if (!header && ++in.rows > kMaxRows) return Fail(Code::kTooLarge, fmt::format("at most {} rows in one request", kMaxRows));
    header = false;
    ++line;
  }
  if (header) return Bad("the CSV is empty: a header line with the column names comes first");
  if (in.rows == 0) return Bad("there are no rows");
  in.form = Impl::Form::kCsv;
  return {};
}

Status Decoder::BindCsv(const Columns& columns, BoundRows& out) {
  Impl& in = *impl_;
  const auto& list = columns.list();
  in.present.assign(list.size(), 0);
  in.targets.clear();
  for (size_t i = 0; i < in.names.size(); ++i) {
    const int at = columns.Find(in.names[i], i);
    if (at >= 0 && in.present[static_cast<size_t>(at)]) return Bad(fmt::format("the column \"{}\" is there twice", Shown(in.names[i])));
    if (at >= 0) in.present[static_cast<size_t>(at)] = 1;
    in.targets.push_back(at);
  }
  if (std::count(in.present.begin(), in.present.end(), 1) != static_cast<std::ptrdiff_t>(list.size())) return std::unexpected(columns.Missing(in.present));
  Prepare(columns, in.rows, out);
  for (size_t row = 0; row < in.rows; ++row) {
    for (size_t i = 0; i < in.names.size(); ++i) {
      const std::string_view cell = in.cells[row * in.names.size() + i];
      const int at = in.targets[i];
      if (at == kKeyColumn) {
        if (out.keys.empty()) out.keys.resize(in.rows);
        out.keys[row] = cell;
      } else if (at >= 0) {
        const auto index = static_cast<size_t>(at);
        if (!list[index].numeric) out.batch.texts[index][row] = cell;
        else if (const char* wrong = TextToNumber(cell, list[index].boolean, out.batch.numbers[index][row])) return std::unexpected(CellError(list[index], row, wrong));
      }
    }
  }
  return {};
}

std::string Decoder::FirstKey(const Columns& columns) {
  Impl& in = *impl_;
  if (columns.key().empty() || in.rows != 1) return {};
  std::string_view key;
  auto take = [&](Element value) {
    if (value.type() == simdjson::dom::element_type::ARRAY) {
      const simdjson::dom::array values = value.get_array().value_unsafe();
      if (values.size() != 1) return;
      value = values.at(0).value_unsafe();
    }
    std::deque<std::string> made;
    std::string_view text;
    if (!ToText(value, Datatype::kAny, made, text)) key = made.empty() ? text : in.unquoted.emplace_back(made.front());
  };
  switch (in.form) {
    case Impl::Form::kOip:
    case Impl::Form::kColumns:
      for (const RequestColumn& column : in.columns)
        if (columns.Find(column.name, columns.list().size()) == kKeyColumn) take(column.data);
      break;
    case Impl::Form::kSplit:
    case Impl::Form::kCsv:
      for (size_t i = 0; i < in.names.size(); ++i) {
        if (columns.Find(in.names[i], columns.list().size()) != kKeyColumn) continue;
        if (in.form == Impl::Form::kCsv) {
          key = in.cells[i];
        } else if (Element row; !in.table.get_array().value_unsafe().at(0).get(row) && row.type() == simdjson::dom::element_type::ARRAY) {
          Element value;
          if (!row.get_array().value_unsafe().at(i).get(value)) take(value);
        }
      }
      break;
    case Impl::Form::kRecords: {
      Element row, value;
      if (!in.table.get_array().value_unsafe().at(0).get(row) && !row[columns.key()].get(value) && columns.Find(columns.key(), columns.list().size()) == kKeyColumn) take(value);
      break;
    }
    default: break;
  }
  return std::string(key);
}

}  // namespace rondo::serving
