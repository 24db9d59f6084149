// Rows into training, validation and test parts (docs/decisions/0023-splits.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/hash.h"
#include "base/random.h"
#include "data/dataset.h"
#include "data/leakage.h"
#include "data/split_keys.h"

namespace rondo::data {
namespace {

using project::Task;
using table::Column;
using table::Type;

constexpr std::array<const char*, 3> kParts = {"train", "validation", "test"};

std::string Names(const table::Frame& data) {
  std::string out;
  for (const Column& c : data.columns) out += (out.empty() ? "" : ", ") + c.name;
  return out;
}
Result<const Column*> Need(const table::Frame& data, const std::string& name, const char* what) {
  if (const Column* c = data.Find(name)) return c;
  return Fail(Code::kFailedCheck, fmt::format("the data have no column \"{}\" ({})", name, what), "columns: " + Names(data));
}

/// The distinct texts of a column among some rows, with their counts.
std::map<std::string, size_t> Classes(const Column& column, const std::vector<size_t>& rows) {
  std::map<std::string, size_t> out;
  for (const size_t r : rows) ++out[column.Text(r)];
  return out;
}
std::string Listed(const std::map<std::string, size_t>& classes) {
  std::string out;
  size_t shown = 0;
  for (const auto& [name, count] : classes) {
    if (shown++ == 10) return out + fmt::format(", ... ({} values)", classes.size());
    out += fmt::format("{}\"{}\" ({})", out.empty() ? "" : ", ", name, count);
  }
  return out;
}

struct Sizes {
  size_t test = 0, validation = 0;
};
Sizes ExactSizes(const project::Split& split, size_t n) {
  Sizes s;
  s.test = static_cast<size_t>(std::llround(split.test * static_cast<double>(n)));
  s.validation = std::min(n - s.test, static_cast<size_t>(std::llround(split.validation * static_cast<double>(n))));
  return s;
}

/// Exactly `total` rows spread over strata in proportion to what they have (largest remainders; ties go to the earlier stratum).
std::vector<size_t> Spread(const std::vector<size_t>& have, size_t total) {
  const double all = static_cast<double>(std::accumulate(have.begin(), have.end(), size_t{0}));
  std::vector<size_t> out(have.size());
  std::vector<std::pair<double, size_t>> rest;
  size_t given = 0;
  for (size_t i = 0; i < have.size(); ++i) {
    const double share = all > 0 ? static_cast<double>(have[i]) * static_cast<double>(total) / all : 0;
    out[i] = std::min(have[i], static_cast<size_t>(share));
    given += out[i];
    rest.emplace_back(static_cast<double>(out[i]) - share, i);
  }
  std::sort(rest.begin(), rest.end());
  for (size_t k = 0; given < total && k < 2 * rest.size(); ++k) {
    const size_t i = rest[k % rest.size()].second;
    if (out[i] < have[i]) ++out[i], ++given;
  }
  return out;
}

/// Stratified: by class, or by decile of a numeric target.
void SplitRandom(const project::Split& split, const std::vector<size_t>& usable, const Column& target, Task task, uint64_t seed, SplitResult& out) {
  std::vector<std::vector<size_t>> strata;
  if (task == Task::regression) {
    std::vector<size_t> order = usable;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return target.numbers[a] < target.numbers[b]; });
    strata.resize(std::min<size_t>(10, order.size()));
    for (size_t i = 0; i < order.size(); ++i) strata[i * strata.size() / order.size()].push_back(order[i]);
  } else {
    std::map<std::string, std::vector<size_t>> by_class;
    for (const size_t r : usable) by_class[target.Text(r)].push_back(r);
    for (auto& [name, rows] : by_class) strata.push_back(std::move(rows));
  }
  Random random(seed);
  const Sizes sizes = ExactSizes(split, usable.size());
  std::vector<size_t> have;
  for (auto& rows : strata) {
    random.Shuffle(rows);
    have.push_back(rows.size());
  }
  const std::vector<size_t> test = Spread(have, sizes.test);
  for (size_t i = 0; i < have.size(); ++i) have[i] -= test[i];
  const std::vector<size_t> validation = Spread(have, sizes.validation);
  for (size_t i = 0; i < strata.size(); ++i)
    for (size_t k = 0; k < strata[i].size(); ++k) (k < test[i] ? out.test : k < test[i] + validation[i] ? out.validation : out.train).push_back(strata[i][k]);
}

Status SplitTime(const project::Project& project, const table::Frame& data, const std::vector<size_t>& usable, const std::vector<std::string>& ids, SplitResult& out) {
  const std::string& name = project.problem->time;
  if (name.empty()) return Fail(Code::kInvalid, "split.by: time needs problem.time, the column that orders the rows", "set problem.time");
  RONDO_TRY(const Column* time, Need(data, name, "problem.time"));
  if (!time->numeric() && time->type != Type::kDate && time->type != Type::kDatetime)
    return Fail(Code::kFailedCheck, fmt::format("the time column \"{}\" is {}: its texts can't be ordered in time", name, table::TypeName(time->type)), "give it the type date or datetime in the contract (ISO 8601), or int");
  for (const size_t r : usable)
    if (time->IsMissing(r)) return Fail(Code::kFailedCheck, fmt::format("the time column \"{}\" is missing in row {}", name, r + 1), "remove such rows with a sql: dataset, or split by key");
  std::vector<size_t> order = usable;
  const auto less = [&](size_t a, size_t b) { return time->numeric() ? time->numbers[a] < time->numbers[b] : time->strings[a] < time->strings[b]; };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return less(a, b) || (!less(b, a) && ids[a] < ids[b]); });
  const Sizes sizes = ExactSizes(project.split, order.size());
  // Rows of one moment stay together, in the later part: a model must not be judged on a time it has seen.
  const auto cut = [&](size_t at) {
    while (at > 0 && at < order.size() && !less(order[at - 1], order[at])) --at;
    return at;
  };
  const size_t test = cut(order.size() - sizes.test), validation = cut(test - std::min(test, sizes.validation));
  out.train.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(validation));
  out.validation.assign(order.begin() + static_cast<std::ptrdiff_t>(validation), order.begin() + static_cast<std::ptrdiff_t>(test));
  out.test.assign(order.begin() + static_cast<std::ptrdiff_t>(test), order.end());
  return {};
}

Status CheckTarget(const project::Problem& problem, const Column& target, const std::vector<size_t>& usable) {
  if (usable.empty()) return Fail(Code::kFailedCheck, fmt::format("the target \"{}\" is missing in all rows", problem.target), "check problem.target and the data");
  if (problem.task == Task::regression) {
    if (!target.numeric()) return Fail(Code::kFailedCheck, fmt::format("the target \"{}\" is {}, regression needs numbers", problem.target, table::TypeName(target.type)), "give it the type float in the contract, or use task: multiclass");
    for (const size_t r : usable)
      if (!std::isfinite(target.numbers[r])) return Fail(Code::kFailedCheck, fmt::format("the target \"{}\" is infinite in row {}", problem.target, r + 1), "correct or remove the row");
    return {};
  }
  const auto classes = Classes(target, usable);
  if (classes.size() < 2) return Fail(Code::kFailedCheck, fmt::format("the target \"{}\" has only one class: {}", problem.target, Listed(classes)), "a classifier needs at least two classes in the data");
  if (problem.task != Task::binary) return {};
  if (!classes.contains(problem.positive)) return Fail(Code::kFailedCheck, fmt::format("problem.positive is \"{}\", but the target \"{}\" has the values {}", problem.positive, problem.target, Listed(classes)), "write the value as the data have it");
  if (classes.size() > 2) return Fail(Code::kFailedCheck, fmt::format("the target \"{}\" of a binary problem has {} values: {}", problem.target, classes.size(), Listed(classes)), "use task: multiclass, or make two classes with a sql: dataset");
  return {};
}

Status CheckParts(const project::Project& project, const Column& target, SplitResult& out) {
  const std::vector<size_t>* parts[] = {&out.train, &out.validation, &out.test};
  const double shares[] = {1 - project.split.validation - project.split.test, project.split.validation, project.split.test};
  for (size_t i = 0; i < 3; ++i) {
    if (parts[i]->empty() && shares[i] > 0)
      return Fail(Code::kFailedCheck, fmt::format("the {} part is empty ({} rows in all, share {:g}%)", kParts[i], out.train.size() + out.validation.size() + out.test.size(), 100 * shares[i]),
                  "more rows are needed, or a larger share in split:; `by: group` and `by: time` need several groups or moments");
    if (parts[i]->empty() || project.problem->task == Task::regression) continue;
    const auto classes = Classes(target, *parts[i]);
    if (classes.size() < 2) return Fail(Code::kFailedCheck, fmt::format("the {} part has only one class of \"{}\": {}", kParts[i], project.problem->target, Listed(classes)), "use split.by: random (stratified), a larger share, or more data");
  }
  return {};
}

/// SHA-256 over the lines "part TAB id" in byte order.
std::string HashOfIds(const SplitResult& out) {
  std::vector<std::string> lines;
  const std::vector<size_t>* parts[] = {&out.train, &out.validation, &out.test};
  for (size_t i = 0; i < 3; ++i)
    for (const size_t r : *parts[i]) lines.push_back(fmt::format("{}\t{}\n", kParts[i], out.row_ids[r]));
  std::sort(lines.begin(), lines.end());
  Hasher hasher(HashKind::kSha256);
  for (const std::string& line : lines) hasher.Update(line);
  return hasher.HexDigest();
}

}  // namespace

Result<SplitResult> MakeSplit(const project::Project& project, const table::Frame& data) {
  if (!project.problem) return Fail(Code::kInvalid, "a split needs problem:", "add problem: {task, target} to rondo.yaml");
  const project::Problem& problem = *project.problem;
  const project::Split& split = project.split;
  if (!(split.test >= 0) || !(split.validation >= 0) || split.test + split.validation >= 1) return Fail(Code::kInvalid, fmt::format("split: test {:g}% and validation {:g}% leave nothing for training", 100 * split.test, 100 * split.validation), "together they must be below 100%");
  RONDO_TRY(const Column* target, Need(data, problem.target, "problem.target"));
  SplitResult out;
  std::vector<size_t> usable;
  for (size_t r = 0; r < data.rows(); ++r) {
    if (target->IsMissing(r)) {
      ++out.missing_target;
    } else {
      usable.push_back(r);
    }
  }
  RONDO_DO(CheckTarget(problem, *target, usable));
  if (!problem.key.empty()) {
    RONDO_TRY([[maybe_unused]] const Column* key, Need(data, problem.key, "problem.key"));
  }
  RONDO_TRY(out.row_ids, RowIds(data, problem.key));
  const uint64_t seed = project.SplitSeed();
  const auto place = [&](double u, size_t r) { (u < split.test ? out.test : u < split.test + split.validation ? out.validation : out.train).push_back(r); };
  if (split.by == "key") {
    for (const size_t r : usable) place(HashShare(out.row_ids[r], seed), r);
  } else if (split.by == "random") {
    SplitRandom(split, usable, *target, problem.task, seed, out);
  } else if (split.by == "time") {
    RONDO_DO(SplitTime(project, data, usable, out.row_ids, out));
  } else if (split.by == "group") {
    RONDO_TRY(const Column* group, Need(data, split.group, "split.by: group"));
    for (const size_t r : usable) {
      if (group->IsMissing(r)) return Fail(Code::kFailedCheck, fmt::format("the group column \"{}\" is missing in row {}", split.group, r + 1), "every row needs a group");
      place(HashShare(group->Text(r), seed), r);
    }
  } else {
    return Fail(Code::kInvalid, fmt::format("split.by: \"{}\" is not known", split.by), "by: key, random, time or group:COLUMN");
  }
  // The parts list rows in the data's order, however they were chosen.
  for (std::vector<size_t>* part : {&out.train, &out.validation, &out.test}) std::sort(part->begin(), part->end());
  RONDO_DO(CheckParts(project, *target, out));
  out.row_ids_hash = HashOfIds(out);
  out.warnings = FindLeakage(project, data, out);
  return out;
}

}  // namespace rondo::data
