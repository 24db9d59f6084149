// Any bytes as a segment file: recovery and reading must end, and what was read must be the same before and after recovery.
#include <cstdint>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "data/prediction_log.h"
#include "data/prediction_record.h"

namespace {

size_t Count(const std::filesystem::path& folder) {
  rondo::data::LogPosition position;
  size_t n = 0;
  if (!rondo::data::ReadPredictions(folder, position, [&](const rondo::data::Prediction&) { return ++n < 100'000; })) std::abort();
  return n;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rondo;
  SetLogLevel(LogLevel::kError);
  // In memory where there is such a folder: an fsync a run would be all that is measured.
  static const bool in_memory = ::setenv("TMPDIR", "/dev/shm", 0) == 0;
  static TempDir dir("rondo-fuzz");
  (void)in_memory;
  const std::filesystem::path segment = dir.path() / "00000001.rpl";
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path(), ec)) std::filesystem::remove(entry.path(), ec);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  // Half the inputs get a good header and a good first frame, so that the fuzzer reaches the payload.
  if (size > 1 && (data[0] & 1)) {
    std::string framed = data::log::Header(1);
    data::Prediction p;
    p.id = "x";
    p.texts = {bytes};
    data::log::AppendPrediction(framed, p, framed.size());
    bytes = framed + bytes.substr(1);
  }
  if (!WriteFileAtomic(segment, bytes)) return 0;
  (void)data::log::DecodePrediction(std::string_view(bytes));
  const size_t before = Count(dir.path());
  if (!data::OpenPredictionWriter(dir.path())) std::abort();
  if (Count(dir.path()) != before) std::abort();
  (void)data::FindPrediction(dir.path(), "x");
  return 0;
}
