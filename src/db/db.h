/// SQL databases. SQLite now; PostgreSQL will implement the same two interfaces. SQL is written once in the subset both share:
/// `$1` parameters, ON CONFLICT, RETURNING, CTEs, window functions; bigint / double precision / text / bytea; times as int64 ms.
///
/// Threads: any thread may call Read and Write. Reads run on a pooled connection in a snapshot. Writes of all threads are queued to one
/// writer thread, which runs each in a savepoint and commits whatever waits as ONE transaction (group commit); Write returns after the
/// commit is on disk (synchronous FULL). Several processes may open the same file (WAL, BEGIN IMMEDIATE, busy timeout 10 s).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "db/migrations.h"

namespace rondo::db {

struct Blob {
  std::string bytes;
};

/// A bound parameter.
class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool v) : v_(static_cast<int64_t>(v)) {}
  Value(int v) : v_(static_cast<int64_t>(v)) {}
  Value(int64_t v) : v_(v) {}
  Value(uint64_t v) : v_(static_cast<int64_t>(v)) {}
  Value(double v) : v_(v) {}
  Value(const char* v) : v_(std::string(v)) {}
  Value(std::string_view v) : v_(std::string(v)) {}
  Value(std::string v) : v_(std::move(v)) {}
  Value(Blob v) : v_(std::move(v)) {}
  template <typename T>
  Value(const std::optional<T>& v) {
    if (v) *this = Value(*v);
  }
  const std::variant<std::monostate, int64_t, double, std::string, Blob>& variant() const { return v_; }

 private:
  std::variant<std::monostate, int64_t, double, std::string, Blob> v_;
};
using Args = std::vector<Value>;

/// The present row of a result; valid during the callback only. Columns count from 0.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool IsNull(int i) const = 0;
  virtual int64_t Int(int i) const = 0;
  virtual double Double(int i) const = 0;
  virtual std::string_view Text(int i) const = 0;  ///< also for blobs
  std::string String(int i) const { return std::string(Text(i)); }
  std::optional<int64_t> OptInt(int i) const { return IsNull(i) ? std::nullopt : std::optional(Int(i)); }
};

/// A connection inside Read or Write. Statements are prepared once per connection and cached by their text.
class Session {
 public:
  virtual ~Session() = default;
  /// Runs one statement; returns the number of changed rows. A unique violation is kAlreadyExists, a full disk kEnvironment.
  virtual Result<int64_t> Exec(std::string_view sql, const Args& args = {}) = 0;
  /// Calls `row` for each row; stop early by returning false.
  virtual Status Query(std::string_view sql, const Args& args, const std::function<bool(const Row&)>& row) = 0;
  /// First column of the first row as text / integer; empty when there is no row.
  Result<std::optional<int64_t>> QueryInt(std::string_view sql, const Args& args = {});
  Result<std::optional<std::string>> QueryText(std::string_view sql, const Args& args = {});
};

class Database {
 public:
  virtual ~Database() = default;
  /// fn's error comes back and nothing of it is kept (writes of other threads in the same group are).
  virtual Status Write(const std::function<Status(Session&)>& fn) = 0;
  virtual Status Read(const std::function<Status(Session&)>& fn) = 0;
  /// Applies missing migrations of one module under a lock; forward only. A database newer than the program is kConflict.
  virtual Status Migrate(std::string_view module, const std::vector<Migration>& migrations) = 0;
  /// Changes whenever any process has committed: cheap to poll.
  virtual Result<int64_t> ChangeCounter() = 0;
  /// Writes a consistent copy (online backup).
  virtual Status Backup(const std::filesystem::path& to) = 0;
};

struct OpenOptions {
  bool durable = true;  ///< false: synchronous NORMAL; a power cut may lose the last transactions
};
Result<std::unique_ptr<Database>> OpenSqlite(const std::filesystem::path& file, const OpenOptions& options = {});

/// Reads a value out of a Read without naming the status: `db::Fetch<int64_t>(db, [&](Session& s) -> Result<int64_t> {...})`.
template <typename T>
Result<T> Fetch(Database& db, const std::function<Result<T>(Session&)>& fn) {
  std::optional<T> out;
  RONDO_DO(db.Read([&](Session& s) -> Status {
    RONDO_TRY(out, fn(s));
    return {};
  }));
  return std::move(*out);
}
template <typename T>
Result<T> Store(Database& db, const std::function<Result<T>(Session&)>& fn) {
  std::optional<T> out;
  RONDO_DO(db.Write([&](Session& s) -> Status {
    RONDO_TRY(out, fn(s));
    return {};
  }));
  return std::move(*out);
}

}  // namespace rondo::db
