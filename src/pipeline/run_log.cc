#include "pipeline/run_log.h"

#include <cstring>
#include <map>

#include "base/hash.h"

namespace rondo::pipeline {
namespace {

constexpr std::string_view kMagic = "RONDORUN1\n";
constexpr size_t kHead = 12;  // u32 length, u64 check
constexpr uint32_t kMaxRecord = 64u << 20;

std::string Framed(const std::string& payload) {
  const auto length = static_cast<uint32_t>(payload.size());
  const uint64_t check = Xxh3(payload, length);
  std::string out(kHead, '\0');
  for (size_t i = 0; i < 4; ++i) out[i] = static_cast<char>(length >> (8 * i));
  for (size_t i = 0; i < 8; ++i) out[4 + i] = static_cast<char>(check >> (8 * i));
  return out + payload;
}

uint64_t Little(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

Result<RunLog> RunLog::Create(const fs::path& file) {
  RONDO_DO(MakeDirs(file.parent_path()));
  RONDO_TRY(AppendFile out, AppendFile::Open(file));
  if (out.size() == 0) RONDO_DO(out.Append(kMagic));
  return RunLog(std::move(out));
}

Status RunLog::Append(const Json& record) {
  const std::string framed = Framed(record.Dump());
  std::lock_guard lock(mutex_);
  return file_.Append(framed);
}

Status RunLog::Begin(const std::string& run, int64_t epoch, int64_t time) { return Append(Json::MakeObject().Set("is", "begin").Set("run", run).Set("epoch", epoch).Set("time", time)); }
Status RunLog::Intent(const std::string& stage, const std::string& token, int64_t time) {
  return Append(Json::MakeObject().Set("is", "intent").Set("stage", stage).Set("token", token).Set("time", time));
}
Status RunLog::Done(const std::string& stage, const std::string& token, const std::string& status, const LockedStage* entry, int64_t time) {
  Json record = Json::MakeObject().Set("is", "done").Set("stage", stage).Set("token", token).Set("status", status).Set("time", time);
  if (entry) record.Set("entry", StageToJson(*entry));
  return Append(record);
}
Status RunLog::Kept() { return Append(Json::MakeObject().Set("is", "kept")); }
Status RunLog::End(const std::string& status) { return Append(Json::MakeObject().Set("is", "end").Set("status", status)); }
Status RunLog::Sync() {
  std::lock_guard lock(mutex_);
  return file_.Sync();
}

Result<RunLogState> ParseRunLog(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Fail(Code::kFailedCheck, "this is no run log", "the run that it belonged to is counted as interrupted");
  RunLogState state;
  std::map<std::string, std::string> open;
  // Entries are parsed at the end only: most results of a long run are in the lock already.
  std::vector<std::string_view> results;
  for (size_t at = kMagic.size(); at < bytes.size();) {
    state.cut = true;  // until this record has proved to be whole
    if (bytes.size() - at < kHead) break;
    const auto length = static_cast<uint32_t>(Little(bytes.substr(at, 4)));
    if (length > kMaxRecord || bytes.size() - at - kHead < length) break;
    const std::string_view payload = bytes.substr(at + kHead, length);
    if (Little(bytes.substr(at + 4, 8)) != Xxh3(payload, length)) break;
    auto json = ParseJson(payload);
    if (!json || !json->IsObject()) break;
    state.cut = false;
    at += kHead + length;
    const Json& record = *json;
    const std::string& is = record["is"].AsString();
    if (is == "begin") {
      state.run = record["run"].AsString();
      state.epoch = record["epoch"].AsInt();
    } else if (is == "intent") {
      open[record["stage"].AsString()] = record["token"].AsString();
    } else if (is == "done") {
      open.erase(record["stage"].AsString());
      if (record.Find("entry")) {
        results.push_back(payload);
        ++state.published;
      }
    } else if (is == "kept") {
      results.clear();
    } else if (is == "end") {
      state.ended = true;
    }
  }
  for (const std::string_view payload : results) {
    RONDO_TRY(const Json record, ParseJson(payload));
    RONDO_TRY(LockedStage entry, StageFromJson(record["entry"], "run log"));
    state.results.emplace_back(record["stage"].AsString(), std::move(entry));
  }
  state.open.assign(open.begin(), open.end());
  return state;
}

Result<RunLogState> ReadRunLog(const fs::path& file) {
  RONDO_TRY(const std::string bytes, ReadFile(file));
  return ParseRunLog(bytes);
}

fs::path RunLogFile(const fs::path& data, const std::string& run) { return data / "runs" / run / "journal"; }

Result<EngineMark> ReadEngineMark(const fs::path& data) {
  RONDO_TRY(const std::string text, ReadFile(data / "engine.open", 1 << 16));
  EngineMark mark;
  // A damaged mark still says that an engine did not end by itself.
  if (auto json = ParseJson(text)) {
    mark.run = (*json)["run"].AsString();
    mark.epoch = (*json)["epoch"].AsInt();
    mark.pid = (*json)["pid"].AsInt();
  }
  return mark;
}

Status WriteEngineMark(const fs::path& data, const EngineMark& mark) {
  return WriteFileAtomic(data / "engine.open", Json::MakeObject().Set("run", mark.run).Set("epoch", mark.epoch).Set("pid", mark.pid).Dump());
}

}  // namespace rondo::pipeline
