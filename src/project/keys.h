/// The grammar of rondo.yaml as one table: what the reader accepts, what the nearest-key help knows and what `rondo schema` prints.
#pragma once

#include <string_view>
#include <vector>

namespace rondo::project {

enum class ValueKind {
  kText,      ///< any scalar, as written
  kName,      ///< letters, digits, _ - . ; at most 64; starts with a letter, digit or _
  kTexts,     ///< a list of scalars, or one
  kInt,       ///< integer >= 0
  kNumber,
  kNumbers,   ///< a list of numbers
  kShare,     ///< 20% or 0.2
  kDuration,  ///< 10s, 15m, 12h, 2d
  kBytes,     ///< 4GiB, 500MB
  kBool,      ///< true | false
  kEnum,      ///< one of `values`
  kCron,      ///< five fields
  kGate,
  kGates,     ///< a list of gates, or one
  kSection,   ///< a map with the keys of `section`
  kNamed,     ///< a map: any name -> a map with the keys of `section`
  kFree,      ///< a map that another module checks
  kCustom,    ///< read by hand; `schema` is its JSON Schema
};

struct Section;
struct Key {
  std::string_view name;
  ValueKind kind;
  std::string_view help;
  std::string_view values = {};       ///< kEnum: "a|b|c"
  const Section* section = nullptr;   ///< kSection, kNamed
  std::string_view schema = {};       ///< kCustom
  std::string_view unsupported = {};  ///< not empty: known, but an error in this release, with this advice
};

struct Section {
  std::string_view name;  ///< of the $defs entry
  std::vector<Key> keys;
  const Key* Find(std::string_view key) const;
};

/// The whole file. Sections are reached through `Key::section`.
const Section& ProjectKeys();

// The sections that the reader's files start from.
const Section& ProblemKeys();
const Section& DatasetKeys();
const Section& ContractKeys();
const Section& ColumnRuleKeys();
const Section& FreshnessKeys();
const Section& ContractDriftKeys();
const Section& PersonalKeys();
const Section& CostKeys();
const Section& SplitKeys();
const Section& FeaturesKeys();
const Section& NumericKeys();
const Section& CategoricalKeys();
const Section& ColumnFeatureKeys();
const Section& TrainKeys();
const Section& EvaluateKeys();
const Section& DeployKeys();
const Section& HoldKeys();
const Section& PredictKeys();
const Section& MonitorKeys();
const Section& LabelsKeys();
const Section& AlarmKeys();
const Section& DriftAlarmKeys();
const Section& RetrainKeys();
const Section& TriggerKeys();
const Section& GovernKeys();
const Section& ApprovalKeys();
const Section& StageKeys();
const Section& RetryKeys();
const Section& ResourcesKeys();

}  // namespace rondo::project
