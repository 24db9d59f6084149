// The remote index.
#include "data/remotes/known.h"

#include <fmt/format.h>

#include <charconv>

#include "base/hash.h"

namespace rondo::data::remotes {
namespace {
constexpr int64_t kBelieved = 14LL * 24 * 3600 * 1000;
}

KnownFolders KnownFolders::Load(const fs::path& folder, const std::string& remote_identity) {
  KnownFolders known;
  known.file_ = folder / "rondo" / "remotes" / (Sha256Hex(remote_identity).substr(0, 32) + ".txt");
  const auto text = ReadFile(known.file_, 256u << 20);
  if (!text) return known;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t blank = line.find(' ');
    if (blank == line.npos) continue;
    const auto id = dvc::ObjectId::Parse(line.substr(0, blank));
    int64_t time = 0;
    const std::string_view digits = line.substr(blank + 1);
    if (id && std::from_chars(digits.data(), digits.data() + digits.size(), time).ec == std::errc()) known.times_[*id] = time;
  }
  return known;
}

bool KnownFolders::Has(const dvc::ObjectId& id, int64_t now_ms) const {
  const auto it = times_.find(id);
  return it != times_.end() && it->second <= now_ms && now_ms - it->second < kBelieved;
}

void KnownFolders::Add(const dvc::ObjectId& id, int64_t now_ms) { times_[id] = now_ms; }

Status KnownFolders::Save() const {
  std::string text;
  for (const auto& [id, time] : times_) text += fmt::format("{} {}\n", id.Text(), time);
  return WriteFileAtomic(file_, text);
}

}  // namespace rondo::data::remotes
