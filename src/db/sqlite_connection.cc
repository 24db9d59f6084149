#include "db/sqlite_connection.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <time.h>

#include <charconv>
#include <cmath>

#include "base/clock.h"

namespace rondo::db {
namespace {

constexpr size_t kCachedStatements = 200;

class StatementRow : public Row {
 public:
  explicit StatementRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool IsNull(int i) const override { return sqlite3_column_type(statement_, i) == SQLITE_NULL; }
  int64_t Int(int i) const override { return sqlite3_column_int64(statement_, i); }
  double Double(int i) const override { return sqlite3_column_double(statement_, i); }
  std::string_view Text(int i) const override {
    const void* data = sqlite3_column_type(statement_, i) == SQLITE_BLOB ? sqlite3_column_blob(statement_, i)
                                                                         : static_cast<const void*>(sqlite3_column_text(statement_, i));
    const int size = sqlite3_column_bytes(statement_, i);
    return data ? std::string_view(static_cast<const char*>(data), static_cast<size_t>(size)) : std::string_view();
  }

 private:
  sqlite3_stmt* statement_;
};

std::string Shortened(std::string_view sql) { return std::string(sql.substr(0, 120)) + (sql.size() > 120 ? "..." : ""); }

}  // namespace

class SqliteConnection::Lease {
 public:
  /// `cached` points into the cache (map nodes do not move), or is null and the statement is ours alone.
  Lease(Statement* cached, Statement own) : cached_(cached), own_(std::move(own)) {
    if (cached_) cached_->busy = true;
  }
  Lease(Lease&& other) noexcept : cached_(other.cached_), own_(std::move(other.own_)) {
    other.cached_ = nullptr;
    other.own_.handle = nullptr;
  }
  Lease& operator=(Lease&&) = delete;
  ~Lease() {
    if (cached_) {
      sqlite3_reset(cached_->handle);
      sqlite3_clear_bindings(cached_->handle);  // frees large texts
      cached_->busy = false;
    } else if (own_.handle) {
      sqlite3_finalize(own_.handle);
    }
  }
  const Statement& operator*() const { return cached_ ? *cached_ : own_; }

 private:
  Statement* cached_;
  Statement own_;
};

SqliteConnection::~SqliteConnection() {
  for (auto& [sql, statement] : cache_) sqlite3_finalize(statement.handle);
  if (handle_) sqlite3_close(handle_);
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::filesystem::path& file, Purpose purpose, bool durable) {
  // Its memory statistics, which nobody reads, take one process-wide lock for every allocation.
  static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  if (configured != SQLITE_OK && configured != SQLITE_MISUSE) return Fail(Code::kInternal, "SQLite refuses its configuration");
  std::unique_ptr<SqliteConnection> c(new SqliteConnection(file));
  const int code = sqlite3_open_v2(file.c_str(), &c->handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (!c->handle_) return Fail(Code::kEnvironment, "no memory to open " + file.string());
  sqlite3_extended_result_codes(c->handle_, 1);
  if (code != SQLITE_OK) return std::unexpected(c->ErrorOf(sqlite3_extended_errcode(c->handle_), {}));
  sqlite3_busy_handler(c->handle_, &SqliteConnection::OnBusy, c.get());
  RONDO_DO(c->Configure(purpose, durable));
  return c;
}

Status SqliteConnection::Configure(Purpose purpose, bool durable) {
  // Case-sensitive LIKE is what PostgreSQL and MLflow do. Debian's SQLite overwrites deleted content by default, at twice the writes.
  RONDO_DO(ExecScript("PRAGMA foreign_keys=ON; PRAGMA case_sensitive_like=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; PRAGMA mmap_size=1073741824"));
  if (purpose == Purpose::kRead) return ExecScript("PRAGMA query_only=ON");
  // Two processes that open a new file at once both want to switch it to WAL; SQLite answers one of them "busy" without waiting.
  const int64_t give_up = MonotonicNs() + busy_timeout_ns_;
  RONDO_DO(ExecScript("PRAGMA page_size=8192"));
  for (;;) {
    Status status = ExecScript("PRAGMA journal_mode=WAL");
    if (status) break;
    if (status.error().code != Code::kUnavailable || MonotonicNs() > give_up) return status;
    const timespec pause{0, 2'000'000};
    nanosleep(&pause, nullptr);
  }
  // The owner checkpoints by itself, after it has answered: see sqlite.cc.
  RONDO_DO(ExecScript(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  RONDO_DO(ExecScript("PRAGMA secure_delete=OFF; PRAGMA cache_size=-16000; PRAGMA wal_autocheckpoint=0"));
  sqlite3_wal_hook(
      handle_,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteConnection*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  return {};
}

/// Waits 0.1 ms, doubling up to 5 ms: a group of another process takes a few milliseconds, SQLite's own steps of up to 100 ms would starve us.
int SqliteConnection::OnBusy(void* self, int count) {
  auto* c = static_cast<SqliteConnection*>(self);
  const int64_t now = MonotonicNs();
  if (count == 0) c->busy_since_ns_ = now;
  if (now - c->busy_since_ns_ >= c->busy_timeout_ns_) return 0;
  const timespec pause{0, std::min<int64_t>(100'000L << std::min(count, 6), 5'000'000L)};
  nanosleep(&pause, nullptr);
  return 1;
}

bool SqliteConnection::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Result<SqliteConnection::Statement> SqliteConnection::Prepare(std::string_view sql, unsigned flags, const char** tail) {
  Statement s;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), flags, &s.handle, tail);
  if (code != SQLITE_OK) return std::unexpected(ErrorOf(code, sql));
  // SQLite numbers "$7" by first appearance; the number in the name is what counts.
  for (int i = 1; i <= sqlite3_bind_parameter_count(s.handle); ++i) {
    const char* name = sqlite3_bind_parameter_name(s.handle, i);
    const std::string_view text = name ? name : "";
    size_t number = 0;
    if (text.size() < 2 || text[0] != '$' || std::from_chars(text.data() + 1, text.data() + text.size(), number).ptr != text.data() + text.size() || number == 0) {
      sqlite3_finalize(s.handle);
      return Fail(Code::kInternal, "parameters are written $1, $2, ...: " + Shortened(sql));
    }
    s.argument.push_back(number - 1);
    s.arguments = std::max(s.arguments, number);
  }
  return s;
}

Result<SqliteConnection::Lease> SqliteConnection::Take(std::string_view sql) {
  std::string key(sql);
  auto it = cache_.find(key);
  if (it != cache_.end() && !it->second.busy) {
    it->second.used = ++clock_;
    return Lease(&it->second, {});
  }
  const char* tail = nullptr;
  RONDO_TRY(Statement statement, Prepare(sql, SQLITE_PREPARE_PERSISTENT, &tail));
  if (!statement.handle || sql.substr(static_cast<size_t>(tail - sql.data())).find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    sqlite3_finalize(statement.handle);
    return Fail(Code::kInternal, "one SQL statement at a time: " + Shortened(sql));
  }
  if (it != cache_.end()) return Lease(nullptr, std::move(statement));  // the same statement inside its own row callback
  if (cache_.size() >= kCachedStatements) Evict();
  statement.used = ++clock_;
  it = cache_.emplace(std::move(key), std::move(statement)).first;
  return Lease(&it->second, {});
}

/// Drops the older half. Search builds texts without end; those of the modules stay, as they are used again and again.
void SqliteConnection::Evict() {
  const uint64_t keep_after = clock_ - kCachedStatements / 2;
  for (auto it = cache_.begin(); it != cache_.end();) {
    if (!it->second.busy && it->second.used <= keep_after) {
      sqlite3_finalize(it->second.handle);
      it = cache_.erase(it);
    } else {
      ++it;
    }
  }
}

Status SqliteConnection::Bind(const Statement& statement, std::string_view sql, const Args& args) {
  if (args.size() != statement.arguments)
    return Fail(Code::kInternal, fmt::format("{} arguments for {} parameters: {}", args.size(), statement.arguments, Shortened(sql)));
  for (size_t i = 0; i < statement.argument.size(); ++i) {
    const int at = static_cast<int>(i) + 1;
    const auto& value = args[statement.argument[i]].variant();
    int code = SQLITE_OK;
    if (std::holds_alternative<std::monostate>(value)) {
      code = sqlite3_bind_null(statement.handle, at);
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      code = sqlite3_bind_int64(statement.handle, at, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      code = sqlite3_bind_double(statement.handle, at, *real);  // NaN becomes NULL
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      code = sqlite3_bind_text64(statement.handle, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else {
      const std::string& bytes = std::get<Blob>(value).bytes;
      code = sqlite3_bind_blob64(statement.handle, at, bytes.data(), bytes.size(), SQLITE_STATIC);
    }
    if (code != SQLITE_OK) return std::unexpected(ErrorOf(code, sql));
  }
  return {};
}

Result<int64_t> SqliteConnection::Exec(std::string_view sql, const Args& args) {
  const int before = sqlite3_total_changes(handle_);
  RONDO_DO(Query(sql, args, [](const Row&) { return true; }));
  return static_cast<int64_t>(sqlite3_total_changes(handle_) - before);
}

Status SqliteConnection::Query(std::string_view sql, const Args& args, const std::function<bool(const Row&)>& row) {
  RONDO_TRY(const Lease lease, Take(sql));
  const Statement& statement = *lease;
  RONDO_DO(Bind(statement, sql, args));
  const StatementRow current(statement.handle);
  for (;;) {
    const int code = sqlite3_step(statement.handle);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return std::unexpected(ErrorOf(code, sql));
    if (!row(current)) return {};
  }
}

Status SqliteConnection::ExecScript(std::string_view sql) {
  while (sql.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    const char* tail = nullptr;
    RONDO_TRY(Statement statement, Prepare(sql, 0, &tail));
    int code = SQLITE_DONE;
    if (statement.handle) {
      while ((code = sqlite3_step(statement.handle)) == SQLITE_ROW) {
      }
      if (code != SQLITE_DONE) {
        Error error = ErrorOf(code, sql);
        sqlite3_finalize(statement.handle);
        return std::unexpected(std::move(error));
      }
      sqlite3_finalize(statement.handle);
    }
    sql.remove_prefix(static_cast<size_t>(tail - sql.data()));
  }
  return {};
}

Status SqliteConnection::CopyTo(const std::filesystem::path& file) {
  sqlite3* target = nullptr;
  int code = sqlite3_open_v2(file.c_str(), &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code == SQLITE_OK) {
    if (sqlite3_backup* backup = sqlite3_backup_init(target, "main", handle_, "main")) {
      sqlite3_backup_step(backup, -1);  // one step: a consistent copy of the snapshot that this connection reads
      code = sqlite3_backup_finish(backup);
    } else {
      code = sqlite3_errcode(target);
    }
  }
  std::string text = target ? sqlite3_errmsg(target) : "no memory";
  sqlite3_close(target);
  if (code == SQLITE_OK) return {};
  return Fail(Code::kEnvironment, "cannot write the backup " + file.string() + ": " + text, "check that the folder is writable and the disk has room");
}

Error SqliteConnection::ErrorOf(int code, std::string_view sql) const {
  const std::string text = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const std::string file = file_.string();
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return {Code::kAlreadyExists, "already exists: " + text, {}};
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return {Code::kConflict, "the database refuses the change: " + text, {}};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kUnavailable, "another process keeps the database " + file + " locked", "try again; `fuser " + file + "` shows who has it open"};
    case SQLITE_FULL:
      return {Code::kEnvironment, "no space left on the disk of " + file, "free some space; what was acknowledged before is safe"};
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return {Code::kEnvironment, "the database " + file + " is damaged: " + text, "keep the file, restore the last backup (`rondo restore`), and check the disk"};
    case SQLITE_CANTOPEN:
      return {Code::kEnvironment, "cannot open the database " + file + ": " + text, "check that the folder exists and that you may write to it"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Code::kEnvironment, "cannot write to the database " + file + ": " + text, "check the owner and the mode of the file and its folder"};
    case SQLITE_IOERR:
      return {Code::kEnvironment, "cannot read or write the database " + file + ": " + text, "check the disk: is it full or failing?"};
    case SQLITE_TOOBIG:
      return {Code::kTooLarge, "a value is too large for the database: " + text, {}};
    default:
      return {Code::kInternal, "SQL: " + text + (sql.empty() ? "" : " in: " + Shortened(sql)), {}};
  }
}

}  // namespace rondo::db
