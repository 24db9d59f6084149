/// Reads the keys of one map by its section of the grammar table (keys.h). The first error sticks; later reads do nothing.
/// Internal to the reader.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "project/keys.h"
#include "project/spec.h"
#include "project/yaml.h"

namespace rondo::project {

/// "rondo.yaml:4: deploy.hold.time: ..." as an error of code kInvalid.
std::unexpected<Error> Wrong(const std::string& where, const std::string& path, std::string message, std::string hint = {});

class Fields {
 public:
  /// Checks that `node` is a map (or nothing), that every key is known and supported.
  Fields(const YamlNode& node, std::string path, const Section& section);

  /// nullptr when absent or null. Asserts that the table has the key.
  const YamlNode* Find(std::string_view key);
  Fields& Get(std::string_view key, std::string& out);
  Fields& Get(std::string_view key, std::optional<std::string>& out);
  Fields& Get(std::string_view key, int64_t& out);
  Fields& Get(std::string_view key, std::optional<int64_t>& out);
  Fields& Get(std::string_view key, uint64_t& out);
  Fields& Get(std::string_view key, std::optional<uint64_t>& out);
  Fields& Get(std::string_view key, double& out);
  Fields& Get(std::string_view key, std::optional<double>& out);
  Fields& Get(std::string_view key, bool& out);
  Fields& Get(std::string_view key, std::vector<std::string>& out);
  Fields& Get(std::string_view key, std::vector<double>& out);
  Fields& Get(std::string_view key, Task task, std::vector<Gate>& out);
  /// Fails unless the key is there (and not null); `hint` says how to write it.
  Fields& Require(std::string_view key, std::string hint);
  /// An error of this map, at `key`'s place (or the map's).
  Fields& Fail(std::string_view key, std::string message, std::string hint = {});

  std::string Path(std::string_view key) const { return path_.empty() ? std::string(key) : path_ + "." + std::string(key); }
  std::string Where(std::string_view key) const;
  bool ok() const { return status_.has_value(); }
  const Status& status() const { return status_; }
  void Take(Status status) { if (status_ && !status) status_ = std::move(status); }

 private:
  const Key& KeyOf(std::string_view key) const;
  template <typename T, typename U>
  Fields& Read(std::string_view key, T& out, Result<U> (*read)(const YamlNode&, const std::string&, const Key&));

  const YamlNode& node_;
  std::string path_;
  const Section& section_;
  Status status_;
};

Result<std::string> ReadText(const YamlNode& node, const std::string& path);
Result<std::vector<std::string>> ReadTexts(const YamlNode& node, const std::string& path);
Result<double> ReadNumber(const YamlNode& node, const std::string& path);
/// "20%" -> 0.2; "0.2" -> 0.2. Between 0 and 1.
Result<double> ReadShare(const YamlNode& node, const std::string& path);
Result<double> ParsePercent(const std::string& text);
Result<std::vector<double>> ReadNumbers(const YamlNode& node, const std::string& path);
Result<int64_t> ReadDuration(const YamlNode& node, const std::string& path);
/// A list of gates, or one. `{warn: "brier <= 0.15"}`, as YAML reads `- warn: brier <= 0.15`, is a gate too.
Result<std::vector<Gate>> ReadGates(const YamlNode& node, const std::string& path, Task task);
/// A relative path that stays below the project.
Status CheckInside(const YamlNode& node, const std::string& path, const std::string& text);

}  // namespace rondo::project
