// The decoder's common part and the Open Inference Protocol (kserve/open-inference-protocol, "Predict Protocol - Version 2").
#include "serving/decoder.h"

#include <fmt/format.h>

#include "serving/decoder_impl.h"

namespace rondo::serving {
namespace {

using simdjson::dom::element_type;

/// Python's json.dumps writes NaN, Infinity and -Infinity bare, which is no JSON. Outside of texts they become null and texts.
std::string PatchNonFinite(std::string_view body) {
  std::string out;
  out.reserve(body.size() + 64);
  bool in_text = false;
  for (size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (in_text) {
      out += c;
      if (c == '\\' && i + 1 < body.size()) out += body[++i];
      else if (c == '"') in_text = false;
      continue;
    }
    bool replaced = false;
    for (const auto& [token, instead] : {std::pair<std::string_view, std::string_view>{"NaN", "null"}, {"-Infinity", "\"-Infinity\""}, {"Infinity", "\"Infinity\""}})
      if (body.substr(i, token.size()) == token) {
        out += instead;
        i += token.size() - 1;
        replaced = true;
        break;
      }
    if (replaced) continue;
    in_text = c == '"';
    out += c;
  }
  return out;
}

std::unexpected<Error> Bad(std::string message) { return Fail(Code::kInvalid, std::move(message)); }

/// parameters: {name: text | number | bool}. Takes `key`; refuses what this server would have to answer in binary.
Status ReadParameters(Element value, std::string_view& key) {
  simdjson::dom::object object;
  if (value.get(object)) return Bad("\"parameters\" must be an object");
  for (const auto& [name, parameter] : object) {
    if (name == "key") {
      if (parameter.type() == element_type::NULL_VALUE) continue;
      if (parameter.get(key)) return Bad("parameters.key must be a text");
      if (key.size() > 512) return Bad("parameters.key is longer than 512 bytes");
    }
    bool on = false;
    if (name == "binary_data_output" && !parameter.get(on) && on)
      return Bad("binary outputs are not supported: ask for JSON (tritonclient: InferRequestedOutput(name, binary_data=False))");
  }
  return {};
}

Status ReadShape(Element value, std::string_view name, size_t& rows) {
  simdjson::dom::array dims;
  if (value.get(dims)) return Bad(fmt::format("input \"{}\": \"shape\" must be a list of whole numbers", Shown(name)));
  size_t n = 0;
  int64_t first = 0;
  for (const Element dim : dims) {
    int64_t d = 0;
    if (dim.get(d)) return Bad(fmt::format("input \"{}\": \"shape\" must be a list of whole numbers", Shown(name)));
    if (d <= 0) return Bad(fmt::format("input \"{}\": the shape has a dimension that is not positive", Shown(name)));
    if (n == 0) first = d;
    else if (d != 1) return Bad(fmt::format("input \"{}\": the shape must be [rows] or [rows, 1]: each column is an input of its own", Shown(name)));
    if (++n > 8) return Bad(fmt::format("input \"{}\": the shape has too many dimensions", Shown(name)));
  }
  if (n == 0) return Bad(fmt::format("input \"{}\": the shape must be [rows] or [rows, 1]", Shown(name)));
  if (static_cast<uint64_t>(first) > kMaxRows) return Fail(Code::kTooLarge, fmt::format("input \"{}\": at most {} rows in one request", Shown(name), kMaxRows));
  rows = static_cast<size_t>(first);
  return {};
}

Status ReadInput(Element value, RequestColumn& out) {
  simdjson::dom::object object;
  if (value.get(object)) return Bad("each of \"inputs\" must be an object");
  Element shape;
  bool has_name = false, has_shape = false, has_type = false, has_data = false;
  std::string_view datatype;
  for (const auto& [key, field] : object) {
    bool* seen = nullptr;
    if (key == "name") {
      seen = &has_name;
      if (field.get(out.name)) return Bad("an input's \"name\" must be a text");
    } else if (key == "shape") {
      seen = &has_shape;
      shape = field;
    } else if (key == "datatype") {
      seen = &has_type;
      if (field.get(datatype)) return Bad("an input's \"datatype\" must be a text");
    } else if (key == "data") {
      seen = &has_data;
      out.data = field;
    } else if (key == "parameters") {
      simdjson::dom::object parameters;
      if (field.get(parameters)) return Bad("an input's \"parameters\" must be an object");
      if (!parameters["binary_data_size"].error())
        return Bad("binary inputs are not supported: send JSON (tritonclient: set_data_from_numpy(values, binary_data=False))");
      continue;
    } else {
      return Bad(fmt::format("an input has the unknown field \"{}\"", Shown(key)));
    }
    if (*seen) return Bad(fmt::format("an input has \"{}\" twice", Shown(key)));
    *seen = true;
  }
  if (!has_name) return Bad("an input has no \"name\"");
  if (!has_shape) return Bad(fmt::format("input \"{}\" has no \"shape\"", Shown(out.name)));
  if (!has_type) return Bad(fmt::format("input \"{}\" has no \"datatype\"", Shown(out.name)));
  if (!has_data) return Bad(fmt::format("input \"{}\" has no \"data\"", Shown(out.name)));
  if (!ParseDatatype(datatype, out.datatype)) return Bad(fmt::format("input \"{}\": the datatype \"{}\" isn't one of the protocol's", Shown(out.name), Shown(datatype)));
  return ReadShape(shape, out.name, out.rows);
}

/// Flat or nested lists, row-major: calls put(row, value) for each. False when put said so; counts the values.
template <typename Put>
bool Flatten(const simdjson::dom::array& data, size_t& row, const Put& put) {
  for (const Element value : data) {
    if (value.type() == element_type::ARRAY) {
      if (!Flatten(value.get_array().value_unsafe(), row, put)) return false;
    } else {
      if (!put(row, value)) return false;
      ++row;
    }
  }
  return true;
}

}  // namespace

Decoder::Decoder() : impl_(std::make_unique<Impl>()) {}
Decoder::~Decoder() = default;
Decoder& Decoder::OfThread() {
  thread_local Decoder decoder;
  return decoder;
}

Status Decoder::Parse(Protocol protocol, std::string_view body) {
  Impl& in = *impl_;
  id_ = key_ = {};
  outputs_.clear();
  in.form = Impl::Form::kNone;
  in.columns.clear();
  in.names.clear();
  in.cells.clear();
  in.unquoted.clear();
  in.rows = 0;
  if (protocol == Protocol::kInvocationsCsv) return ParseCsv(body);
  // One large request must not keep its memory for ever.
  constexpr size_t kKeep = 4u << 20;
  if (in.parser.capacity() > kKeep && body.size() < kKeep) in.parser = simdjson::dom::parser();
  if (in.parser.capacity() < body.size() || in.parser.capacity() == 0) {
    if (in.parser.allocate(std::max<size_t>(body.size(), 4096), 64)) return Fail(Code::kTooLarge, "the body is too large");
  }
  auto error = in.parser.parse(body.data(), body.size(), true).get(in.root);
  if (error && error != simdjson::DEPTH_ERROR && (body.find("NaN") != std::string_view::npos || body.find("Infinity") != std::string_view::npos)) {
    in.patched = PatchNonFinite(body);
    error = in.parser.parse(in.patched.data(), in.patched.size(), true).get(in.root);
    if (in.patched.capacity() > kKeep) in.patched = std::string();
  }
  if (error == simdjson::DEPTH_ERROR) return Bad("the JSON is nested too deeply");
  if (error == simdjson::UTF8_ERROR) return Bad("the JSON is not UTF-8");
  if (error) return Bad("the body is not valid JSON");
  return protocol == Protocol::kOip ? ParseOip() : ParseInvocations();
}

Status Decoder::ParseOip() {
  Impl& in = *impl_;
  simdjson::dom::object root;
  if (in.root.get(root)) return Bad("the body must be a JSON object with \"inputs\"");
  bool has_id = false, has_parameters = false, has_inputs = false, has_outputs = false;
  for (const auto& [name, value] : root) {
    bool* seen = name == "id" ? &has_id : name == "parameters" ? &has_parameters : name == "inputs" ? &has_inputs : name == "outputs" ? &has_outputs : nullptr;
    if (!seen) return Bad(fmt::format("unknown field \"{}\": an inference request has id, parameters, inputs, outputs", Shown(name)));
    if (*seen) return Bad(fmt::format("\"{}\" is there twice", Shown(name)));
    *seen = true;
    if (seen == &has_id) {
      if (value.get(id_)) return Bad("\"id\" must be a text");
      if (id_.size() > 512) return Bad("\"id\" is longer than 512 bytes");
    } else if (seen == &has_parameters) {
      RONDO_DO(ReadParameters(value, key_));
    } else if (seen == &has_inputs) {
      simdjson::dom::array inputs;
      if (value.get(inputs)) return Bad("\"inputs\" must be a list");
      for (const Element input : inputs) {
        if (in.columns.size() >= kMaxColumns) return Fail(Code::kTooLarge, "too many inputs");
        RONDO_DO(ReadInput(input, in.columns.emplace_back()));
      }
    } else {
      simdjson::dom::array outputs;
      if (value.get(outputs)) return Bad("\"outputs\" must be a list");
      for (const Element output : outputs) {
        std::string_view wanted;
        if (output["name"].get(wanted)) return Bad("each of \"outputs\" needs a \"name\"");
        bool binary = false;
        if (!output.at_pointer("/parameters/binary_data").get(binary) && binary)
          return Bad("binary outputs are not supported: ask for JSON (tritonclient: InferRequestedOutput(name, binary_data=False))");
        for (const std::string_view other : outputs_)
          if (other == wanted) return Bad(fmt::format("the output \"{}\" is asked for twice", Shown(wanted)));
        if (outputs_.size() >= 16) return Bad("too many outputs are asked for");
        outputs_.push_back(wanted);
      }
    }
  }
  if (!has_inputs) return Bad("the request has no \"inputs\"");
  if (in.columns.empty()) return Bad("\"inputs\" is empty");
  for (const RequestColumn& column : in.columns)
    if (column.rows != in.columns[0].rows)
      return Bad(fmt::format("input \"{}\" has {} rows, input \"{}\" has {}", Shown(column.name), column.rows, Shown(in.columns[0].name), in.columns[0].rows));
  in.rows = in.columns[0].rows;
  in.form = Impl::Form::kOip;
  return {};
}

Status Decoder::BindOip(const Columns& columns, BoundRows& out) {
  Impl& in = *impl_;
  // The shape is only a claim until the data have been counted: memory is taken for what the body can hold.
  for (const RequestColumn& column : in.columns) {
    simdjson::dom::array data;
    if (column.data.get(data)) return Bad(fmt::format("input \"{}\": \"data\" must be a list", Shown(column.name)));
    if (column.rows > 16) {
      size_t count = 0;
      Flatten(data, count, [](size_t, Element) { return true; });
      if (count != column.rows) return Bad(fmt::format("input \"{}\": the shape says {} values, \"data\" has {}", Shown(column.name), column.rows, count));
    }
  }
  Prepare(columns, in.rows, out);
  in.present.assign(columns.list().size(), 0);
  size_t hint = 0, found = 0;
  for (const RequestColumn& column : in.columns) {
    const int at = columns.Find(column.name, hint);
    if (at == kUnknownColumn) return std::unexpected(columns.Unknown(column.name));
    const simdjson::dom::array data = column.data.get_array().value_unsafe();
    size_t row = 0;
    const char* wrong = nullptr;
    bool complete = true;
    if (at == kTargetColumn) {
      continue;
    } else if (at == kKeyColumn) {
      if (!out.keys.empty()) return Bad(fmt::format("input \"{}\" is there twice", Shown(column.name)));
      out.keys.resize(in.rows);
      complete = Flatten(data, row, [&](size_t r, Element value) { return r < in.rows && !(wrong = ToText(value, column.datatype, out.made, out.keys[r])); });
    } else {
      const auto index = static_cast<size_t>(at);
      if (in.present[index]) return Bad(fmt::format("input \"{}\" is there twice", Shown(column.name)));
      in.present[index] = 1;
      ++found;
      const ServedColumn& served = columns.list()[index];
      complete = Flatten(data, row, [&](size_t r, Element value) { return r < in.rows && !(wrong = PutCell(served, index, r, value, column.datatype, out)); });
      hint = index + 1;
    }
    if (wrong) return Bad(fmt::format("input \"{}\", row {}: {}", Shown(column.name), row + 1, wrong));
    if (!complete || row != in.rows) return Bad(fmt::format("input \"{}\": the shape says {} values, \"data\" has {}", Shown(column.name), in.rows, complete ? fmt::format("{}", row) : "more"));
  }
  if (found != columns.list().size()) return std::unexpected(columns.Missing(in.present));
  return {};
}

Status Decoder::Bind(const Columns& columns, BoundRows& out) {
  switch (impl_->form) {
    case Impl::Form::kOip: return BindOip(columns, out);
    case Impl::Form::kColumns: return BindColumns(columns, out);
    case Impl::Form::kSplit:
    case Impl::Form::kRecords:
    case Impl::Form::kPositional: return BindFrame(columns, out);
    case Impl::Form::kCsv: return BindCsv(columns, out);
    case Impl::Form::kNone: break;
  }
  return Fail(Code::kInternal, "no request has been parsed");
}

}  // namespace rondo::serving
