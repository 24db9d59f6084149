// Label bodies and reference.json from hostile bytes: no crash, and what is accepted survives a round trip.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json_map.h"
#include "monitor/detectors/detector.h"
#include "monitor/labels.h"
#include "monitor/verdict.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rondo;
  const auto json = ParseJson(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!json) return 0;
  (void)monitor::ParseLabels(*json);
  if (auto adwin = monitor::MakeAdwin(); adwin->Load(*json)) adwin->Update(1);
  auto reference = monitor::ParseReference(*json);
  if (!reference) return 0;
  if (!monitor::ParseReference(ToJson(*reference))) std::abort();
  const monitor::Counter counter(std::move(*reference));
  monitor::WindowCounts counts = counter.Empty();
  rondo::data::Prediction p;
  for (const auto& column : counter.reference().columns) {
    if (monitor::IsNumericType(column.type)) {
      p.numbers.push_back(1.5f);
    } else {
      p.texts.push_back("x");
    }
  }
  p.scores = {0.25f, 0.75f};
  for (int i = 0; i < 40; ++i) counter.Add(p, counts);
  (void)monitor::JudgeWindow(counter.reference(), counts, {});
  return 0;
}
