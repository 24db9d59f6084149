// Sources -> one typed Parquet file; personal columns are dropped, pseudonymised or coarsened before anything is written.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "data/check_personal.h"
#include "data/dataset.h"

namespace rondo::data {
namespace {

std::string BlobLiteral(std::string_view bytes) {
  std::string out = "'";
  for (const char c : bytes) out += fmt::format("\\x{:02X}", static_cast<uint8_t>(c));
  return out + "'::BLOB";
}

/// HMAC-SHA256 of {} as hex (RFC 2104), in SQL: the values never leave the engine. NULL stays NULL.
Result<std::string> HmacSql(std::string key) {
  if (key.size() > 64) {
    RONDO_TRY(key, HexDecode(Sha256Hex(key)));
  }
  key.resize(64, '\0');
  std::string inner = key, outer = key;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return fmt::format("sha256({} || unhex(sha256({} || encode(CAST({{}} AS VARCHAR)))))", BlobLiteral(outer), BlobLiteral(inner));
}

Result<std::vector<table::Edit>> Edits(const project::Dataset& spec, const std::string& secret, IngestResult& result) {
  std::vector<table::Edit> edits;
  for (const project::Personal& p : spec.personal) {
    table::Edit edit;
    edit.column = p.column;
    if (p.action == "drop") {
      edit.drop = true;
      result.dropped.push_back(p.column);
    } else if (p.action == "pseudonymise") {
      if (secret.empty()) return Fail(Code::kInvalid, fmt::format("personal.{}: pseudonymise needs a secret key, and the data folder has none", p.column), "create the data folder with `rondo init`");
      RONDO_TRY(edit.sql, HmacSql(secret));
      edit.type = table::Type::kString;
      result.pseudonymised.push_back(p.column);
    } else if (p.action == "bucket") {
      if (!(p.bucket > 0) || !std::isfinite(p.bucket)) return Fail(Code::kInvalid, fmt::format("personal.{}: the bucket width {} is not a positive number", p.column, p.bucket), "for example {bucket: 10}");
      edit.sql = fmt::format("floor({{}} / CAST({0} AS DOUBLE)) * CAST({0} AS DOUBLE)", p.bucket);
      edit.numeric_only = true;
      if (std::trunc(p.bucket) != p.bucket) edit.type = table::Type::kFloat;
    } else {
      return Fail(Code::kInvalid, fmt::format("personal.{}: \"{}\" is not known", p.column, p.action), "personal: drop, pseudonymise or {bucket: WIDTH}");
    }
    edits.push_back(std::move(edit));
  }
  return edits;
}

Result<table::ReadOptions> Options(const project::Dataset& spec) {
  table::ReadOptions options;
  options.format = spec.format;
  options.delimiter = spec.delimiter;
  options.encoding = spec.encoding;
  options.decimal = spec.decimal;
  options.nulls = spec.nulls;
  for (const project::ColumnRule& rule : spec.contract.columns) {
    if (rule.type.empty()) continue;
    RONDO_TRY(const table::Type type, table::ParseType(rule.type));
    options.types.emplace_back(rule.name, type);
  }
  return options;
}

Result<std::string> HashFiles(const std::vector<fs::path>& files) {
  if (files.size() == 1) {
    RONDO_TRY(const FileDigest digest, HashFile(files[0], HashKind::kMd5));
    return digest.hex;
  }
  // Several files: the MD5 of the list of their MD5s, so that moving a line from one to the next is seen.
  Hasher hasher(HashKind::kMd5);
  for (const fs::path& file : files) {
    RONDO_TRY(const FileDigest digest, HashFile(file, HashKind::kMd5));
    hasher.Update(digest.hex);
  }
  return hasher.HexDigest();
}

std::string Lower(std::string_view s) {
  std::string out(s);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// Runs a `sql:` dataset over its inputs into `made`. Returns the hash of the SQL and the inputs.
Result<std::string> RunSql(const project::Dataset& spec, const std::map<std::string, fs::path>& inputs, const fs::path& spill, const fs::path& made) {
  table::Engine::Options engine_options;
  engine_options.spill = spill;
  RONDO_TRY(const auto engine, table::Engine::Open(engine_options));
  const std::string text = Lower(spec.sql);
  Hasher hasher(HashKind::kMd5);
  hasher.Update(spec.sql);
  for (const auto& [name, file] : inputs) {
    if (text.find(Lower(name)) == text.npos) continue;  // never named: not worth the memory
    table::ReadOptions options;
    options.format = "parquet";
    if (auto rows = engine->Load(name, file, options); !rows) return Wrap(rows.error(), "the input " + name);
    RONDO_TRY(const FileDigest digest, HashFile(file, HashKind::kMd5));
    hasher.Update("\n" + name + " " + digest.hex);
  }
  const std::string result = "rondo result of " + spec.name;
  RONDO_DO(engine->CreateFromUserSql(result, spec.sql));
  RONDO_TRY(const table::Frame count, engine->Query("SELECT count(*) FROM " + table::QuoteIdent(result)));
  if (count.columns[0].numbers[0] == 0) return Fail(Code::kFailedCheck, "sql: the SELECT gives no rows", "check its conditions");
  RONDO_DO(engine->WriteParquet("SELECT * FROM " + table::QuoteIdent(result), made));
  return hasher.HexDigest();
}

}  // namespace

Result<IngestResult> Ingest(const project::Dataset& spec, const fs::path& root, const std::map<std::string, fs::path>& inputs, const std::string& secret, const fs::path& to) {
  IngestResult result;
  RONDO_TRY(const std::vector<table::Edit> edits, Edits(spec, secret, result));
  RONDO_TRY(table::ReadOptions options, Options(spec));
  RONDO_DO(MakeDirs(fs::absolute(to).parent_path()));
  // Temporary files of the engine stand beside the target: on a disk that holds the data anyway.
  const fs::path spill = TemporaryBeside(fs::absolute(to));
  struct Cleanup {
    fs::path path;
    ~Cleanup() { (void)RemoveAll(path); }
  } cleanup{spill};
  fs::path source;
  if (!spec.sql.empty()) {
    source = spill / "sql.parquet";
    options.format = "parquet";
    RONDO_TRY(result.source_md5, RunSql(spec, inputs, spill, source));
  } else {
    if (spec.from.find("://") != std::string::npos || spec.from.starts_with("sqlite:"))
      return Fail(Code::kUnsupported, fmt::format("from: {}: this release reads files, folders and patterns", spec.from), "download or export the data to a file first");
    source = fs::path(spec.from).is_absolute() ? fs::path(spec.from) : root / spec.from;
  }
  table::Engine::Options engine_options;
  engine_options.spill = spill;
  // Streaming needs little; a limit keeps a wide file from taking the machine.
  engine_options.memory_limit = "1GB";
  RONDO_TRY(const auto engine, table::Engine::Open(engine_options));
  RONDO_TRY(const std::string judged, CheckPersonal(spec, source, options, spill));
  auto made = engine->Convert(source, options, edits, to, judged);
  if (!made && !spec.sql.empty()) {
    // The file in between is nobody's business.
    std::string& message = made.error().message;
    for (size_t at; (at = message.find(source.string())) != message.npos;) message.replace(at, source.string().size(), "the result of sql:");
  }
  RONDO_TRY(const table::Converted converted, std::move(made));
  if (spec.sql.empty()) {
    RONDO_TRY(result.source_md5, HashFiles(converted.files));
  }
  RONDO_TRY(const FileDigest digest, HashFile(to, HashKind::kMd5));
  result.md5 = digest.hex;
  result.bytes = static_cast<int64_t>(digest.size);
  result.rows = converted.rows;
  for (const auto& [name, type] : converted.schema) result.schema.push_back({name, std::string(table::TypeName(type))});
  return result;
}

}  // namespace rondo::data
