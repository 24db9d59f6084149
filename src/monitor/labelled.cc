#include "monitor/labelled.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

namespace rondo::monitor {

Result<Labelled> ReadLabelled(db::Session& session, const char* sql, const db::Args& args, const Reference& r) {
  Labelled out;
  const size_t classes = r.classes.size();
  out.scored.task = r.task;
  out.scored.classes = std::max<size_t>(classes, 1);
  RONDO_DO(session.Query(sql, args, [&](const db::Row& row) {
    const std::vector<double> scores = UnpackScores(row.Text(1));
    const std::string label = row.String(3);
    double y = 0;
    int decided = -1;
    if (r.task == project::Task::regression) {
      const auto [end, ec] = std::from_chars(label.data(), label.data() + label.size(), y);
      if (ec != std::errc() || end != label.data() + label.size() || scores.empty()) return true;
    } else {
      const int truth = ClassIndex(r.classes, label);
      decided = ClassIndex(r.classes, row.Text(2));
      if (truth < 0 || decided < 0 || scores.size() < (r.task == project::Task::multiclass ? classes : 1)) return true;
      y = truth;
    }
    out.scored.y.push_back(y);
    if (r.task == project::Task::multiclass) {
      out.scored.scores.insert(out.scored.scores.end(), scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(classes));
    } else {
      out.scored.scores.push_back(scores.back());
    }
    if (decided >= 0) out.scored.decisions.push_back(decided);
    out.delays.push_back(std::max(0.0, static_cast<double>(row.Int(4) - row.Int(0))));
    return true;
  }));
  return out;
}

model::Scored OneClass(const model::Scored& all, int wanted) {
  model::Scored one;
  one.task = project::Task::binary;
  one.classes = 2;
  for (size_t i = 0; i < all.rows(); ++i) {
    one.y.push_back(all.y[i] == wanted ? 1 : 0);
    one.scores.push_back(all.scores[i * all.classes + static_cast<size_t>(wanted)]);
    one.decisions.push_back(all.decisions[i] == wanted ? 1 : 0);
  }
  return one;
}

std::string PackScores(const std::vector<float>& scores) {
  static_assert(std::endian::native == std::endian::little, "scores are stored little-endian");
  std::string bytes(scores.size() * sizeof(float), '\0');
  if (!scores.empty()) std::memcpy(bytes.data(), scores.data(), bytes.size());
  return bytes;
}

std::vector<double> UnpackScores(std::string_view bytes) {
  std::vector<double> out;
  for (size_t at = 0; at + sizeof(float) <= bytes.size(); at += sizeof(float)) {
    float v = 0;
    std::memcpy(&v, bytes.data() + at, sizeof(float));
    out.push_back(static_cast<double>(v));
  }
  return out;
}

}  // namespace rondo::monitor
