/// Request bodies into rows: Open Inference Protocol v2 (JSON) and MLflow's scoring protocol (JSON in four forms, CSV). What is read is kept as views,
/// so one decoder can bind the same request to several models. One per thread; memory is reused from request to request.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/scorer.h"
#include "serving/columns.h"

namespace rondo::serving {

enum class Protocol {
  kOip,             ///< POST /v2/models/M/infer
  kInvocations,     ///< POST /endpoints/E/invocations, application/json
  kInvocationsCsv,  ///< the same, text/csv with a header line
};

/// A request as rows of one model.
struct BoundRows {
  model::InputBatch batch;                ///< views into the decoder
  std::vector<std::string_view> keys;     ///< per row, when the request has the key column; else empty
  std::deque<std::string> made;           ///< texts made of numbers; deque: views into it stay
  size_t rows() const { return batch.rows; }
};

class Decoder {
 public:
  Decoder();
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  /// The calling thread's.
  static Decoder& OfThread();

  /// Reads the form of the request, not yet its values. Views stay until the next Parse, as long as `body` does. Every error is kInvalid (or kTooLarge) and shows no value of the body.
  Status Parse(Protocol protocol, std::string_view body);
  /// Values into columns. OIP is strict: unknown inputs are errors. MLflow's forms ignore unknown columns, as MLflow does. Both: the key column names the rows,
  /// the target is ignored, a column that isn't there at all is an error that names it, null and NaN are missing.
  Status Bind(const Columns& columns, BoundRows& out);
  /// The first row's key when the request has that column and just one row; else "".
  std::string FirstKey(const Columns& columns);

  std::string_view id() const { return id_; }        ///< OIP: to be echoed; "" when absent
  std::string_view key() const { return key_; }      ///< parameters.key, "" when absent
  const std::vector<std::string_view>& outputs() const { return outputs_; }  ///< OIP: asked for; empty: all

 private:
  struct Impl;
  Status ParseOip();
  Status ParseInvocations();
  Status ParseCsv(std::string_view body);
  Status BindOip(const Columns& columns, BoundRows& out);
  Status BindFrame(const Columns& columns, BoundRows& out);
  Status BindColumns(const Columns& columns, BoundRows& out);
  Status BindCsv(const Columns& columns, BoundRows& out);

  std::unique_ptr<Impl> impl_;
  std::string_view id_, key_;
  std::vector<std::string_view> outputs_;
};

}  // namespace rondo::serving
