/// One SQLite connection: pragmas, prepared statements, errors in our words. Internal to db; used by one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "db/db.h"

struct sqlite3;
struct sqlite3_stmt;

namespace rondo::db {

enum class Purpose { kWrite, kRead };

class SqliteConnection : public Session {
 public:
  static Result<std::unique_ptr<SqliteConnection>> Open(const std::filesystem::path& file, Purpose purpose, bool durable);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Result<int64_t> Exec(std::string_view sql, const Args& args = {}) override;
  Status Query(std::string_view sql, const Args& args, const std::function<bool(const Row&)>& row) override;

  /// Several statements separated by ';' (migrations), without parameters.
  Status ExecScript(std::string_view sql);
  /// True inside BEGIN. SQLite leaves a transaction by itself after some errors (full disk, I/O).
  bool InTransaction() const;
  /// How long a lock held by somebody else is waited for.
  void SetBusyTimeout(int64_t ms) { busy_timeout_ns_ = ms * 1'000'000; }
  /// Pages in the write-ahead log after the last commit of this connection.
  int wal_pages() const { return wal_pages_; }
  Status CopyTo(const std::filesystem::path& file);

 private:
  struct Statement {
    sqlite3_stmt* handle = nullptr;
    std::vector<size_t> argument;  ///< for each parameter of SQLite: index into Args
    size_t arguments = 0;          ///< highest $n
    bool busy = false;
    uint64_t used = 0;
  };
  /// Gives a statement back to the cache (or drops it) when the call ends.
  class Lease;

  explicit SqliteConnection(std::filesystem::path file) : file_(std::move(file)) {}
  static int OnBusy(void* self, int count);
  Status Configure(Purpose purpose, bool durable);
  Result<Statement> Prepare(std::string_view sql, unsigned flags, const char** tail);
  Result<Lease> Take(std::string_view sql);
  Status Bind(const Statement& statement, std::string_view sql, const Args& args);
  void Evict();
  Error ErrorOf(int code, std::string_view sql) const;

  std::filesystem::path file_;
  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, Statement> cache_;
  uint64_t clock_ = 0;
  int64_t busy_timeout_ns_ = 10'000'000'000;
  int64_t busy_since_ns_ = 0;
  int wal_pages_ = 0;
};

}  // namespace rondo::db
