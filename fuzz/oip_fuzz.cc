// Any bytes as a request body in each protocol, bound to two models: no crash, and what is bound has the shape that the scorer expects.
#include <cstdint>
#include <cstdlib>

#include "serving/decoder.h"

namespace {

using namespace rondo;

model::Signature MakeSignature(bool narrow) {
  model::Signature s;
  s.target = "churn";
  s.key = "customer_id";
  s.inputs = narrow ? std::vector<model::InputColumn>{{"contract", "category"}} : std::vector<model::InputColumn>{{"tenure", "int"}, {"charge", "float"}, {"active", "bool"}, {"contract", "category"}};
  s.classes = {"No", "Yes"};
  return s;
}

void Check(const serving::Columns& columns, const serving::BoundRows& rows) {
  const size_t n = rows.rows();
  if (n == 0 || rows.batch.numbers.size() != columns.list().size() || rows.batch.texts.size() != columns.list().size()) std::abort();
  size_t bytes = 0;
  for (size_t i = 0; i < columns.list().size(); ++i) {
    if (rows.batch.numbers[i].size() != (columns.list()[i].numeric ? n : 0) || rows.batch.texts[i].size() != (columns.list()[i].numeric ? 0 : n)) std::abort();
    for (const std::string_view text : rows.batch.texts[i])
      for (const char c : text) bytes += static_cast<unsigned char>(c);  // every view must be readable
  }
  if (!rows.keys.empty() && rows.keys.size() != n) std::abort();
  for (const std::string_view key : rows.keys)
    for (const char c : key) bytes += static_cast<unsigned char>(c);
  static volatile size_t sink;
  sink = bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const serving::Columns wide(MakeSignature(false)), narrow(MakeSignature(true));
  static serving::BoundRows rows;
  if (size == 0) return 0;
  const auto protocol = static_cast<serving::Protocol>(data[0] % 3);
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  serving::Decoder& decoder = serving::Decoder::OfThread();
  if (!decoder.Parse(protocol, body)) return 0;
  (void)decoder.FirstKey(wide);
  if (decoder.Bind(wide, rows)) Check(wide, rows);
  if (decoder.Bind(narrow, rows)) Check(narrow, rows);
  return 0;
}
