/// Detectors of change in a stream of errors: one file per detector, one row in the table of detectors.cc. Behaviour is river's
/// (https://riverml.xyz), so its published indices are the tests' oracles. State goes to JSON and back without loss, so a restart changes nothing.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace rondo::monitor {

/// What a change was: means before and after, and how many values ago it happened.
struct Change {
  double before = 0, after = 0, since = 0;
};

class Detector {
 public:
  virtual ~Detector() = default;
  /// Takes one value (ADWIN: any; its bound assumes about [0, 1]; DDM: 0 or 1); true when this value completed a change. The call after that
  /// starts afresh, as in river.
  virtual bool Update(double x) = 0;
  virtual double mean() const = 0;   ///< of what the detector still holds
  virtual double width() const = 0;  ///< how many values that is
  virtual Change change() const = 0; ///< the last one
  virtual Json State() const = 0;
  virtual Status Load(const Json& state) = 0;
};

struct DetectorInfo {
  std::string name, help;
  std::unique_ptr<Detector> (*make)();
};
const std::vector<DetectorInfo>& Detectors();
const DetectorInfo* FindDetector(std::string_view name);

/// Bifet, Gavalda, "Learning from Time-Changing Data with Adaptive Windowing", SDM 2007; delta 0.002, checked every 32 values.
std::unique_ptr<Detector> MakeAdwin();
/// Page 1954, both directions; delta 0.005, lambda 50, alpha 0.9999, from 30 values on.
std::unique_ptr<Detector> MakePageHinkley();
/// Gama et al., "Learning with Drift Detection", SBIA 2004; from 30 values on, 3 standard deviations.
std::unique_ptr<Detector> MakeDdm();

}  // namespace rondo::monitor
