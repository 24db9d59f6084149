#include "serving/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/file.h"
#include "base/hash.h"
#include "data/split_keys.h"
#include "serving/loaded_model.h"

namespace rondo::serving {
namespace {

constexpr int64_t kPiece = 65'536;

/// Names rows as the split does: by the key column, else by content and occurrence.
class Keys {
 public:
  explicit Keys(std::string column) : column_(std::move(column)) {}
  std::vector<std::string> Of(const table::Frame& frame) {
    std::vector<std::string> out;
    if (const table::Column* key = column_.empty() ? nullptr : frame.Find(column_)) {
      for (size_t r = 0; r < frame.rows(); ++r) out.push_back(key->Text(r));
      return out;
    }
    out = data::ContentHashes(frame);
    for (std::string& id : out) id += fmt::format("-{}", ++seen_[Xxh3(id)]);
    return out;
  }

 private:
  std::string column_;
  std::unordered_map<uint64_t, int64_t> seen_;
};

table::Frame ScoredFrame(const model::Signature& signature, std::vector<std::string> keys, const model::Scores& scores, std::vector<int64_t>& decided) {
  const size_t rows = keys.size();
  table::Frame out;
  auto texts = [&](const std::string& name, std::vector<std::string> values) {
    table::Column& c = out.columns.emplace_back();
    c.name = name;
    c.type = table::Type::kString;
    c.strings = std::move(values);
    c.missing.assign(rows, 0);
  };
  auto numbers = [&](const std::string& name, size_t k) {
    table::Column& c = out.columns.emplace_back();
    c.name = name;
    c.type = table::Type::kFloat;
    c.numbers.resize(rows);
    for (size_t r = 0; r < rows; ++r) c.numbers[r] = static_cast<double>(scores.values[r * scores.width + k]);
  };
  texts("key", std::move(keys));
  if (signature.task == project::Task::multiclass) {
    for (size_t k = 0; k < scores.width; ++k) numbers("score_" + signature.classes[k], k);
  } else {
    numbers("score", scores.width - 1);
  }
  if (signature.task == project::Task::regression) {
    numbers("decision", 0);
    return out;
  }
  std::vector<std::string> decisions(rows);
  for (size_t r = 0; r < rows; ++r) {
    decisions[r] = model::Decision(signature, scores, r);
    const auto at = std::find(signature.classes.begin(), signature.classes.end(), decisions[r]);
    if (at != signature.classes.end()) ++decided[static_cast<size_t>(at - signature.classes.begin())];
  }
  texts("decision", std::move(decisions));
  return out;
}

std::string CsvCell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string CsvLines(const table::Frame& frame, bool header) {
  std::string out;
  const auto line = [&](const auto& cell) {
    for (size_t c = 0; c < frame.columns.size(); ++c) {
      if (c) out += ',';
      out += CsvCell(cell(frame.columns[c]));
    }
    out += '\n';
  };
  if (header) line([](const table::Column& c) { return c.name; });
  for (size_t r = 0; r < frame.rows(); ++r) line([r](const table::Column& c) { return c.Text(r); });
  return out;
}

/// Takes pieces of scored rows and publishes the whole at the end; nothing stays when it fails.
class Sink {
 public:
  Sink(table::Engine& engine, std::filesystem::path out) : engine_(engine), out_(std::move(out)), csv_(out_.extension() == ".csv") {}
  ~Sink() {
    std::error_code ec;
    if (!temporary_.empty()) fs::remove(temporary_, ec);
  }
  Status Put(const table::Frame& frame) {
    if (csv_) {
      if (!file_) {
        if (out_.has_parent_path()) RONDO_DO(MakeDirs(out_.parent_path()));
        temporary_ = TemporaryBeside(out_);
        RONDO_TRY(AppendFile file, AppendFile::Open(temporary_));
        file_.emplace(std::move(file));
        RONDO_DO(file_->Append(CsvLines(frame, true)));
      } else {
        RONDO_DO(file_->Append(CsvLines(frame, false)));
      }
      return {};
    }
    RONDO_DO(engine_.LoadFrame(first_ ? "scored" : "piece", frame));
    if (!first_) {
      RONDO_DO(engine_.Exec("INSERT INTO scored SELECT * FROM piece"));
      RONDO_DO(engine_.Exec("DROP TABLE piece"));
    }
    first_ = false;
    return {};
  }
  Status Finish() {
    if (!csv_) {
      if (out_.has_parent_path()) RONDO_DO(MakeDirs(out_.parent_path()));
      return engine_.WriteParquet("SELECT * FROM scored", out_);
    }
    RONDO_DO(PublishFile(temporary_, out_));
    temporary_.clear();
    return {};
  }

 private:
  table::Engine& engine_;
  std::filesystem::path out_, temporary_;
  bool csv_, first_ = true;
  std::optional<AppendFile> file_;
};

}  // namespace

Result<BatchModel> OpenBatchModel(workspace::Workspace* workspace, const std::string& model) {
  std::error_code ec;
  BatchModel out;
  const fs::path path(model);
  if (path.extension() == ".onnx" || fs::is_directory(path, ec)) {
    const fs::path onnx = fs::is_directory(path, ec) ? path / "model.onnx" : path;
    RONDO_TRY(const model::Signature signature, model::ReadSignature(onnx.parent_path() / "signature.json"));
    RONDO_TRY(out.scorer, model::LoadScorer(onnx, signature));
    out.name = model;
    return out;
  }
  if (!workspace) return Fail(Code::kInvalid, fmt::format("\"{}\" is no file, and there is no data folder to look the model up in", model), "run it in a project, or name an .onnx file");
  RONDO_TRY(const registry::ModelRef ref, registry::ParseModelRef(model));
  RONDO_TRY(const registry::Version version, registry::Resolve(workspace->registry(), ref));
  RONDO_TRY(const fs::path onnx, workspace->ArtifactPath(version.source, "model.onnx"));
  if (!version.digest.empty()) {
    RONDO_TRY(const FileDigest digest, HashFile(onnx, HashKind::kSha256));
    if (digest.hex != version.digest)
      return Fail(Code::kFailedCheck, fmt::format("{}/{}: model.onnx isn't the file that was registered (SHA-256 {}, not {})", version.name, version.version, digest.hex.substr(0, 12), version.digest.substr(0, 12)),
                  "restore the file, or register the model again");
  }
  RONDO_TRY(const fs::path signature_file, workspace->ArtifactPath(version.source, "signature.json"));
  RONDO_TRY(const model::Signature signature, model::ReadSignature(signature_file));
  RONDO_TRY(out.scorer, model::LoadScorer(onnx, signature));
  out.name = fmt::format("{}/{}", version.name, version.version);
  return out;
}

Result<BatchSummary> ScoreTable(const model::Scorer& scorer, const std::filesystem::path& data, const project::Dataset* spec, const std::filesystem::path& out) {
  const model::Signature& signature = scorer.signature();
  const TempDir spill("rondo-predict");
  table::Engine::Options engine_options;
  engine_options.spill = spill.path();
  RONDO_TRY(const auto engine, table::Engine::Open(engine_options));
  table::ReadOptions options;
  if (spec) {
    options.format = spec->format;
    options.delimiter = spec->delimiter;
    options.encoding = spec->encoding;
    options.decimal = spec->decimal;
    options.nulls = spec->nulls;
  }
  // As the model learned them: "01" of a category stays "01", whatever this file alone would look like.
  for (const model::InputColumn& input : signature.inputs) {
    RONDO_TRY(const table::Type type, table::ParseType(input.type));
    options.types.emplace_back(input.name, type);
  }
  RONDO_TRY(const int64_t rows, engine->Load("raw", data, options));
  if (rows == 0) return Fail(Code::kFailedCheck, data.string() + " has no rows");
  RONDO_TRY(const auto schema, engine->Schema("raw"));
  BatchSummary summary;
  summary.rows = rows;
  // The parts of a split carry the row's name as "row_key" when the problem has no key.
  const std::string key = signature.key.empty() ? "row_key" : signature.key;
  for (const auto& [name, type] : schema)
    if (name == key) summary.key = name;

  Keys keys(summary.key);
  Sink sink(*engine, out);
  std::vector<int64_t> decided(signature.classes.size());
  model::Scores scores;
  for (int64_t begin = 0; begin < rows; begin += kPiece) {
    RONDO_TRY(const table::Frame frame, engine->Query(fmt::format("SELECT * FROM raw WHERE rowid >= {} AND rowid < {} ORDER BY rowid", begin, begin + kPiece)));
    RONDO_TRY(const model::InputBatch batch, model::BatchFromFrame(signature, frame));
    RONDO_DO(scorer.Score(batch, scores));
    RONDO_DO(sink.Put(ScoredFrame(signature, keys.Of(frame), scores, decided)));
  }
  RONDO_DO(sink.Finish());
  for (size_t k = 0; k < decided.size(); ++k) summary.decisions.emplace_back(signature.classes[k], decided[k]);
  return summary;
}

}  // namespace rondo::serving
