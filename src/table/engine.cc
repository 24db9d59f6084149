// The engine: one in-memory DuckDB, hardened from the start, locked before any SQL of a user runs.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/id.h"
#include "table/chunks.h"
#include "table/duck.h"
#include "table/loader.h"
#include "table/table.h"
#include "table/user_sql.h"

namespace rondo::table {
namespace {

// Row groups of DuckDB's own size; zstd because profiles and checks read the file again and again while it stays in the page cache.
constexpr std::string_view kParquet = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, PRESERVE_ORDER true, USE_TMP_FILE false";

/// Format and metadata of a Parquet file that we write.
std::string How(const std::string& note) { return note.empty() ? std::string(kParquet) : fmt::format("{}, KV_METADATA {{rondo: {}}}", kParquet, QuoteText(note)); }

class DuckEngine : public Engine, private RawSql {
 public:
  DuckEngine(const Duck& duck, const Options& options) : duck_(duck), options_(options) {}
  ~DuckEngine() override {
    if (connection_) duck_.disconnect(&connection_);
    if (database_) duck_.close(&database_);
    if (!scratch_.empty()) (void)RemoveAll(scratch_);
  }

  Status Start() {
    duckdb_config config = nullptr;
    if (duck_.create_config(&config) != DuckDBSuccess) return Fail(Code::kEnvironment, "DuckDB can't be configured");
    // At least two threads: with one, DuckDB cuts a table into other row groups, and the bytes would depend on the machine.
    threads_ = options_.threads > 0 ? options_.threads : static_cast<int>(std::thread::hardware_concurrency());
    threads_ = std::max(threads_, 2);
    const std::pair<const char*, std::string> settings[] = {
        {"memory_limit", options_.memory_limit}, {"threads", std::to_string(threads_)}, {"temp_directory", options_.spill.string()},
        {"autoinstall_known_extensions", "false"}, {"autoload_known_extensions", "false"}, {"allow_community_extensions", "false"},
        {"allow_unsigned_extensions", "false"}, {"allow_persistent_secrets", "false"}, {"preserve_insertion_order", "true"}};
    Status status;
    for (const auto& [name, value] : settings)
      if (duck_.set_config(config, name, value.c_str()) != DuckDBSuccess && status) status = Fail(Code::kInvalid, fmt::format("DuckDB refuses {} = {}", name, value));
    char* message = nullptr;
    if (status && duck_.open_ext(nullptr, &database_, config, &message) != DuckDBSuccess) status = std::unexpected(DuckError(message ? message : "DuckDB can't start", Code::kEnvironment));
    if (message) duck_.free(message);
    duck_.destroy_config(&config);
    RONDO_DO(status);
    if (duck_.connect(database_, &connection_) != DuckDBSuccess) return Fail(Code::kEnvironment, "DuckDB can't start");
    return Exec("SET TimeZone = 'UTC'");
  }

  Result<int64_t> Load(const std::string& name, const fs::path& source, const ReadOptions& options) override {
    RONDO_TRY(Loader loader, NewLoader());
    const auto rows = loader.Run(source, options, {}, [&](const std::string& select) -> Result<int64_t> {
      RONDO_TRY(const Frame done, Raw(fmt::format("CREATE OR REPLACE TABLE {} AS {}", QuoteIdent(name), select)));
      return done.columns.empty() || done.rows() == 0 ? 0 : static_cast<int64_t>(done.columns[0].numbers[0]);
    });
    if (!rows) {
      (void)Raw(fmt::format("DROP TABLE IF EXISTS {}", QuoteIdent(name)));
      return rows;
    }
    Remember(name, loader.schema());
    return rows;
  }

  Result<Converted> Convert(const fs::path& source, const ReadOptions& options, const std::vector<Edit>& edits, const fs::path& to, const std::string& note) override {
    RONDO_TRY(Loader loader, NewLoader());
    if (to.has_parent_path()) RONDO_DO(MakeDirs(to.parent_path()));
    const fs::path temporary = TemporaryBeside(to);
    auto rows = loader.Run(source, options, edits, [&](const std::string& select) -> Result<int64_t> {
      RONDO_TRY(const Frame done, Raw(fmt::format("COPY ({}) TO {} ({})", select, QuoteText(temporary.string()), How(note))));
      return done.columns.empty() || done.rows() == 0 ? 0 : static_cast<int64_t>(done.columns[0].numbers[0]);
    });
    Status status;
    if (rows) status = PublishFile(temporary, to);
    std::error_code ec;
    if (!rows || !status) fs::remove(temporary, ec);
    if (!rows) return std::unexpected(rows.error());
    RONDO_DO(status);
    return Converted{*rows, loader.schema(), loader.files()};
  }

  Result<Frame> ReadFrame(const fs::path& source, const ReadOptions& options) override {
    RONDO_TRY(Loader loader, NewLoader());
    Frame frame;
    RONDO_TRY([[maybe_unused]] const int64_t rows, loader.Run(source, options, {}, [&](const std::string& select) -> Result<int64_t> {
      RONDO_TRY(frame, Raw(select));
      return static_cast<int64_t>(frame.rows());
    }));
    for (size_t i = 0; i < frame.columns.size(); ++i) frame.columns[i].type = loader.schema()[i].second;
    return frame;
  }

  Status LoadFrame(const std::string& name, const Frame& frame) override {
    std::string columns;
    std::vector<std::pair<std::string, Type>> schema;
    for (const Column& c : frame.columns) {
      if (c.size() != frame.rows()) return Fail(Code::kInternal, fmt::format("column \"{}\" has {} rows instead of {}", c.name, c.size(), frame.rows()));
      columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", QuoteIdent(c.name), SqlType(c.type));
      schema.emplace_back(c.name, c.type);
    }
    if (columns.empty()) return Fail(Code::kInternal, "a frame without columns can't be a table");
    RONDO_DO(Exec(fmt::format("CREATE OR REPLACE TABLE {} ({})", QuoteIdent(name), columns)));
    RONDO_DO(AppendFrame(duck_, connection_, name, frame));
    Remember(name, schema);
    return {};
  }

  Status Exec(const std::string& sql) override {
    RONDO_TRY([[maybe_unused]] const Frame frame, Query(sql));
    return {};
  }
  Result<Frame> Query(const std::string& sql) override {
    auto frame = Raw(sql);
    if (!frame && frame.error().code == Code::kInternal) return std::unexpected(DuckError(frame.error().message, Code::kInternal));
    return frame;
  }

  Status CreateFromUserSql(const std::string& name, const std::string& select) override {
    RONDO_TRY(const Frame tables, Query("SELECT table_name FROM duckdb_tables() WHERE NOT internal UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1"));
    RONDO_TRY(const UserSql user, CheckUserSql(*this, select, tables.columns[0].strings));
    RONDO_DO(Lock());
    RONDO_DO(CheckSingleSelect(select));
    // Types that a frame lacks (DECIMAL, HUGEINT, lists, ...) become ours.
    const auto described = Raw(fmt::format("DESCRIBE SELECT * FROM (\n{}\n)", user.select));
    if (!described) return std::unexpected(UserError(described.error()));
    std::string columns;
    std::vector<std::pair<std::string, Type>> schema;
    for (size_t i = 0; i < described->rows(); ++i) {
      const std::string& column = described->columns[0].strings[i];
      const std::string& type = described->columns[1].strings[i];
      for (const auto& [other, other_type] : schema)
        if (other == column) return Fail(Code::kInvalid, fmt::format("sql: two columns are called \"{}\"", column), "rename one with AS");
      std::string value = QuoteIdent(column);
      Type ours = Type::kString;
      if (type.ends_with("INT") || type == "INTEGER" || type == "UINTEGER") {
        ours = Type::kInt;
        value = fmt::format("CASE WHEN {0} IS NULL OR {0} BETWEEN -9007199254740992 AND 9007199254740992 THEN {0} ELSE error('the whole number ' || {0}::VARCHAR || ' is beyond 2^53: cast it to VARCHAR or DOUBLE') END", value);
      } else if (type == "DOUBLE" || type == "FLOAT" || type.starts_with("DECIMAL")) {
        ours = Type::kFloat;
        value = fmt::format("CASE WHEN isnan({0}::DOUBLE) THEN NULL ELSE {0}::DOUBLE END", value);
      } else if (type == "BOOLEAN") {
        ours = Type::kBool;
      } else if (type == "DATE") {
        ours = Type::kDate;
      } else if (type == "TIMESTAMP WITH TIME ZONE") {
        ours = Type::kDatetime;
        value = fmt::format("make_timestamp(epoch_us({}))", value);
      } else if (type.starts_with("TIMESTAMP")) {
        ours = Type::kDatetime;
      }
      columns += fmt::format("{}CAST({} AS {}) AS {}", columns.empty() ? "" : ", ", value, SqlType(ours), QuoteIdent(column));
      schema.emplace_back(column, ours);
    }
    const auto made = Raw(fmt::format("CREATE OR REPLACE TABLE {} AS SELECT {} FROM (\n{}\n){}", QuoteIdent(name), columns, user.select, user.ordered ? "" : " ORDER BY ALL"));
    if (!made) return std::unexpected(UserError(made.error()));
    Remember(name, schema);
    return {};
  }

  Result<std::vector<std::pair<std::string, Type>>> Schema(const std::string& name) override {
    for (const auto& [table, schema] : schemas_)
      if (table == name) return schema;
    RONDO_TRY(const Frame empty, Query(fmt::format("SELECT * FROM {} LIMIT 0", QuoteIdent(name))));
    std::vector<std::pair<std::string, Type>> out;
    for (const Column& c : empty.columns) out.emplace_back(c.name, c.type);
    return out;
  }

  Status WriteParquet(const std::string& select, const fs::path& to, const std::string& note) override {
    if (to.has_parent_path()) RONDO_DO(MakeDirs(to.parent_path()));
    const fs::path temporary = TemporaryBeside(to);
    const fs::path target = locked_ ? scratch_ / "out.parquet" : temporary;
    // A locked engine may write in its own folder only. One thread: the order of pages must not depend on luck.
    if (!locked_) RONDO_DO(Exec("SET threads = 1"));
    const auto copied = Raw(fmt::format("COPY ({}) TO {} ({})", select, QuoteText(target.string()), How(note)));
    if (!locked_) RONDO_DO(Exec(fmt::format("SET threads = {}", threads_)));
    std::error_code ec;
    if (!copied) {
      fs::remove(target, ec);
      Error error = DuckError(copied.error().message, Code::kInternal);
      error.message = fmt::format("writing {}: {}", to.string(), error.message);
      if (error.message.find("Cannot open file") != std::string::npos) error.code = Code::kEnvironment;
      return std::unexpected(std::move(error));
    }
    if (locked_) {
      fs::rename(target, temporary, ec);
      if (ec) {  // another file system
        ec.clear();
        fs::copy_file(target, temporary, ec);
        std::error_code ignored;
        fs::remove(target, ignored);
        if (ec) {
          fs::remove(temporary, ignored);
          return std::unexpected(SystemError("write", to, ec.value()));
        }
      }
    }
    const Status published = PublishFile(temporary, to);
    if (!published) fs::remove(temporary, ec);
    return published;
  }

 private:
  Result<Frame> Raw(const std::string& sql) override {
    DuckResult result(duck_);
    if (duck_.query(connection_, sql.c_str(), result.get()) != DuckDBSuccess) {
      const char* message = duck_.result_error(result.get());
      return Fail(Code::kInternal, message ? message : "the query failed");
    }
    return TakeResult(duck_, result.get());
  }

  Status Scratch() {
    if (!scratch_.empty()) return {};
    std::error_code ec;
    const fs::path parent = options_.spill.empty() ? fs::temp_directory_path(ec) : options_.spill;
    if (ec) return std::unexpected(SystemError("find", "the folder for temporary files", ec.value()));
    RONDO_DO(MakeDirs(parent));
    const fs::path folder = fs::absolute(parent, ec) / ("rondo-table-" + RandomHex(8));
    fs::create_directory(folder, ec);
    if (ec) return std::unexpected(SystemError("create folder", folder, ec.value()));
    fs::permissions(folder, fs::perms::owner_all, ec);
    scratch_ = folder;
    return {};
  }
  Result<Loader> NewLoader() {
    if (locked_) return Fail(Code::kInternal, "the engine is locked: load the files before running a user's SQL");
    RONDO_DO(Scratch());
    return Loader(*this, scratch_);
  }

  /// From here on DuckDB itself refuses files (except in our scratch folder), extensions and changes of settings.
  Status Lock() {
    if (locked_) return {};
    RONDO_DO(Scratch());
    RONDO_DO(Exec("SET threads = 1"));
    RONDO_DO(Exec(fmt::format("SET allowed_directories = [{}]", QuoteText(scratch_.string() + "/"))));
    RONDO_DO(Exec("SET enable_external_access = false"));
    RONDO_DO(Exec("SET lock_configuration = true"));
    locked_ = true;
    return {};
  }

  /// DuckDB's binder must agree that the text is one SELECT.
  Status CheckSingleSelect(const std::string& sql) {
    duckdb_extracted_statements statements = nullptr;
    const idx_t count = duck_.extract_statements(connection_, sql.c_str(), &statements);
    Status status;
    if (count != 1) {
      status = Fail(Code::kInvalid, fmt::format("sql: {} statements instead of one SELECT", count), "a dataset's sql: is one SELECT");
    } else {
      duckdb_prepared_statement prepared = nullptr;
      if (duck_.prepare_extracted_statement(connection_, statements, 0, &prepared) != DuckDBSuccess) {
        const char* message = duck_.prepare_error(prepared);
        status = std::unexpected(UserError({Code::kInternal, message ? message : "cannot prepare the statement", {}}));
      } else if (duck_.prepared_statement_type(prepared) != DUCKDB_STATEMENT_TYPE_SELECT) {
        status = Fail(Code::kInvalid, "sql: only one SELECT is allowed", "a dataset's sql: is one SELECT");
      }
      duck_.destroy_prepare(&prepared);
    }
    duck_.destroy_extracted(&statements);
    return status;
  }

  static Error UserError(const Error& raw) {
    Error error = DuckError(raw.message, Code::kInvalid);
    if (error.code == Code::kInvalid) {
      error.message = "sql: " + error.message;
      error.hint = "check the SQL of the dataset";
    }
    return error;
  }

  void Remember(const std::string& name, std::vector<std::pair<std::string, Type>> schema) {
    std::erase_if(schemas_, [&](const auto& entry) { return entry.first == name; });
    schemas_.emplace_back(name, std::move(schema));
  }

  const Duck& duck_;
  Options options_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
  int threads_ = 2;
  bool locked_ = false;
  fs::path scratch_;
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, Type>>>> schemas_;  // of loaded tables: knows categories, which SQL doesn't
};

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Open(const Options& options) {
  RONDO_TRY(const Duck* duck, Duck::Get());
  auto engine = std::make_unique<DuckEngine>(*duck, options);
  RONDO_DO(engine->Start());
  return engine;
}

Result<Frame> ReadTable(const fs::path& source, const ReadOptions& options) {
  RONDO_TRY(const auto engine, Engine::Open());
  return engine->ReadFrame(source, options);
}

Status WriteParquet(const Frame& frame, const fs::path& to, const std::string& note) {
  RONDO_TRY(const auto engine, Engine::Open());
  RONDO_DO(engine->LoadFrame("t", frame));
  return engine->WriteParquet("SELECT * FROM t", to, note);
}

Result<std::string> ReadNote(const fs::path& parquet) {
  RONDO_TRY(const auto engine, Engine::Open());
  RONDO_TRY(const Frame notes, engine->Query(fmt::format("SELECT decode(value) FROM parquet_kv_metadata({}) WHERE decode(key) = 'rondo'", QuoteText(parquet.string()))));
  return notes.rows() > 0 ? notes.columns[0].Text(0) : std::string();
}

}  // namespace rondo::table
