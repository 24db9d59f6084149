/// A loaded model: raw columns in, scores out. Two runtimes implement it: our own evaluator (tree ensembles and linear models whose
/// feature graph we wrote or understand) and ONNX Runtime (everything else). `LoadScorer` picks.
#pragma once

#include <boost/describe.hpp>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "project/spec.h"
#include "table/table.h"

namespace rondo::model {

struct InputColumn {
  std::string name;
  std::string type;  ///< logical: int float bool string category date datetime. Numeric ones are float tensors, the others string tensors
};
BOOST_DESCRIBE_STRUCT(InputColumn, (), (name, type))

/// `signature.json`, beside model.onnx.
struct Signature {
  project::Task task = project::Task::binary;
  std::string target;
  std::string key;                   ///< never an input
  std::vector<InputColumn> inputs;
  std::vector<std::string> classes;  ///< as texts, in the order of the probabilities; binary: the positive class last; empty for regression
  double threshold = 0.5;            ///< binary: decision is positive when score >= threshold
  std::string algorithm;
};
BOOST_DESCRIBE_STRUCT(Signature, (), (task, target, key, inputs, classes, threshold, algorithm))

/// Checked: types known, names unique, as many classes as the task needs.
Result<Signature> ReadSignature(const std::filesystem::path& file);
Status WriteSignature(const Signature& signature, const std::filesystem::path& file);
Status CheckSignature(const Signature& signature);

/// Rows to score, column by column in the signature's order. Numeric columns use `numbers` (NaN is missing), the others `texts` ("" is missing).
/// Texts are views: the caller keeps them alive.
struct InputBatch {
  size_t rows = 0;
  std::vector<std::vector<float>> numbers;            ///< [column][row]; empty for text columns
  std::vector<std::vector<std::string_view>> texts;   ///< [column][row]; empty for numeric columns
  /// Texts that BatchFromFrame had to make (numbers of a `type: category` column); moves with the batch.
  std::vector<std::shared_ptr<const std::vector<std::string>>> made;
};

struct Scores {
  size_t width = 1;           ///< classes for classification (binary: 2), 1 for regression
  std::vector<float> values;  ///< [row][width], row-major: probabilities, or the prediction

  /// Binary: P(positive); regression: the prediction.
  float Score(size_t row) const { return values[row * width + (width - 1)]; }
};

class Scorer {
 public:
  virtual ~Scorer() = default;
  /// Thread-safe. Never allocates more than the batch needs; a batch of n rows equals n batches of one, bit for bit.
  virtual Status Score(const InputBatch& batch, Scores& out) const = 0;
  virtual std::string_view runtime() const = 0;  ///< "trees", "linear", "onnxruntime"
  const Signature& signature() const { return signature_; }

 protected:
  explicit Scorer(Signature signature) : signature_(std::move(signature)) {}
  Signature signature_;
};

enum class RuntimeChoice { kAuto, kOwn, kOnnxRuntime };
/// Refuses external data, unknown domains, more than 2 GiB, and graphs whose inputs or outputs don't fit the signature.
Result<std::unique_ptr<Scorer>> LoadScorer(const std::filesystem::path& onnx, const Signature& signature, RuntimeChoice choice = RuntimeChoice::kAuto);

/// Picks the signature's columns out of a frame (converting numbers <-> texts as the types say); kInvalid names a missing column, kFailedCheck a text
/// that is no number. Texts are views into the frame: keep it.
Result<InputBatch> BatchFromFrame(const Signature& signature, const table::Frame& frame);
/// Decision text of a row: the class, or the number.
std::string Decision(const Signature& signature, const Scores& scores, size_t row);

}  // namespace rondo::model
