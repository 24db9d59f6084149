// The SQLite engine: one writer thread with group commit, a pool of readers, migrations, change counter, backup.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/thread_pool.h"
#include "db/db.h"
#include "db/sqlite_connection.h"

namespace rondo::db {
namespace {

constexpr size_t kMaxGroup = 256;            ///< writes in one transaction
constexpr int64_t kMaxGroupNs = 50'000'000;  ///< a group is committed after this time, so that slow writes do not hold up quick ones
constexpr size_t kMaxWaiting = 10'000;
constexpr size_t kIdleReaders = 16;
constexpr int kCheckpointPages = 4000;   ///< 32 MB of log: copied into the file without disturbing readers
constexpr int kTruncatePages = 32'000;   ///< readers kept the log from being reused: wait for them briefly

struct Pending {
  const std::function<Status(Session&)>* fn = nullptr;
  Status status;
  bool done = false;
};

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(std::filesystem::path file, bool durable, std::unique_ptr<SqliteConnection> writer)
      : file_(std::move(file)),
        durable_(durable),
        writer_(std::move(writer)),
        writes_(MetricsRegistry::Global().GetCounter("rondo_db_writes_total", "Writes asked of the metadata database")),
        commits_(MetricsRegistry::Global().GetCounter("rondo_db_commits_total", "Transactions that carried them (group commit)")),
        waiting_(MetricsRegistry::Global().GetGauge("rondo_db_writes_waiting", "Writes waiting for the writer thread")),
        thread_([this] { Work(); }) {}

  ~SqliteDatabase() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    ready_.notify_all();
    thread_.join();
  }

  Status Write(const std::function<Status(Session&)>& fn) override {
    if (std::this_thread::get_id() == thread_.get_id()) return Fail(Code::kInternal, "Write inside of Write would wait for itself");
    Pending pending;
    pending.fn = &fn;
    std::unique_lock lock(mutex_);
    if (stopping_) return Fail(Code::kUnavailable, "the database is closing");
    if (queue_.size() >= kMaxWaiting) return Fail(Code::kUnavailable, fmt::format("{} writes are waiting for the database", queue_.size()), "try again later");
    queue_.push_back(&pending);
    waiting_.Set(static_cast<double>(queue_.size()));
    writes_.Add();
    ready_.notify_one();
    answered_.wait(lock, [&] { return pending.done; });
    return std::move(pending.status);
  }

  Status Read(const std::function<Status(Session&)>& fn) override {
    RONDO_TRY(std::unique_ptr<SqliteConnection> reader, TakeReader());
    RONDO_TRY(const int64_t begun, reader->Exec("BEGIN"));
    (void)begun;
    Status status = fn(*reader);
    const auto ended = reader->Exec(reader->InTransaction() ? "COMMIT" : "SELECT 1");
    // A reader that cannot end its snapshot would pin the log for ever: drop it with its connection.
    if (ended) GiveReader(std::move(reader));
    return status;
  }

  Status Migrate(std::string_view module, const std::vector<Migration>& migrations) override {
    const int newest = migrations.empty() ? 0 : migrations.back().number;
    RONDO_TRY(const int64_t present, Fetch<int64_t>(*this, [&](Session& s) { return Applied(s, module); }));
    RONDO_DO(CheckNotNewer(module, present, newest));
    if (present == newest) return {};
    return Write([&](Session& s) -> Status {
      auto& connection = static_cast<SqliteConnection&>(s);
      RONDO_DO(connection.ExecScript("CREATE TABLE IF NOT EXISTS schema_migration (module text NOT NULL, number bigint NOT NULL, applied_time bigint NOT NULL, PRIMARY KEY (module, number))"));
      // Another process may have been quicker.
      RONDO_TRY(const int64_t done, Applied(s, module));
      RONDO_DO(CheckNotNewer(module, done, newest));
      for (const Migration& m : migrations) {
        if (m.number <= done) continue;
        if (Status status = connection.ExecScript(m.sql); !status) return Wrap(status.error(), fmt::format("migration {} of {}", m.number, module));
        RONDO_TRY(const int64_t rows, s.Exec("INSERT INTO schema_migration (module, number, applied_time) VALUES ($1, $2, $3)", {module, m.number, SystemClock().NowMs()}));
        (void)rows;
      }
      return {};
    });
  }

  Result<int64_t> ChangeCounter() override {
    std::lock_guard lock(watcher_mutex_);
    if (!watcher_) {
      RONDO_TRY(watcher_, SqliteConnection::Open(file_, Purpose::kRead, durable_));
    }
    // data_version of a connection changes when any *other* connection commits, in this process or another. This one never writes.
    RONDO_TRY(const std::optional<int64_t> version, watcher_->QueryInt("PRAGMA data_version"));
    return version.value_or(0);
  }

  Status Backup(const std::filesystem::path& to) override {
    if (to.has_parent_path()) RONDO_DO(MakeDirs(to.parent_path()));
    const fs::path temporary = TemporaryBeside(to);
    Status status = [&]() -> Status {
      RONDO_TRY(auto reader, SqliteConnection::Open(file_, Purpose::kRead, durable_));
      RONDO_DO(reader->CopyTo(temporary));
      return PublishFile(temporary, to);
    }();
    std::error_code ec;
    for (const char* rest : {"", "-journal", "-wal", "-shm"}) fs::remove(fs::path(temporary.string() + rest), ec);
    return status;
  }

 private:
  static Result<int64_t> Applied(Session& s, std::string_view module) {
    RONDO_TRY(const auto table, s.QueryInt("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'"));
    if (table.value_or(0) == 0) return 0;
    RONDO_TRY(const auto number, s.QueryInt("SELECT max(number) FROM schema_migration WHERE module = $1", {module}));
    return number.value_or(0);
  }
  Status CheckNotNewer(std::string_view module, int64_t present, int newest) const {
    if (present <= newest) return {};
    return Fail(Code::kConflict, fmt::format("the database {} was written by a newer rondo: its {} tables are at version {}, this program knows {}", file_.string(), module, present, newest),
                "use the newer program, or restore a backup made before the upgrade");
  }

  Result<std::unique_ptr<SqliteConnection>> TakeReader() {
    {
      std::lock_guard lock(readers_mutex_);
      if (!readers_.empty()) {
        auto reader = std::move(readers_.back());
        readers_.pop_back();
        return reader;
      }
    }
    return SqliteConnection::Open(file_, Purpose::kRead, durable_);
  }
  void GiveReader(std::unique_ptr<SqliteConnection> reader) {
    std::lock_guard lock(readers_mutex_);
    if (readers_.size() < kIdleReaders) readers_.push_back(std::move(reader));
  }

  void Work() {
    NameThread("db-writer");
    std::vector<Pending*> group;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        const size_t n = std::min(queue_.size(), kMaxGroup);
        group.assign(queue_.begin(), queue_.begin() + static_cast<long>(n));
        queue_.erase(queue_.begin(), queue_.begin() + static_cast<long>(n));
      }
      // A group that SQLite rolled back, or that took too long, is finished in another transaction.
      for (size_t at = 0; at < group.size();) at = RunGroup(group, at);
      Checkpoint();
    }
  }

  /// Runs group[at...] in one transaction; returns how far it came. Everything before that is answered.
  size_t RunGroup(const std::vector<Pending*>& group, size_t at) {
    size_t end = at;
    Status whole;
    if (auto begun = writer_->Exec("BEGIN IMMEDIATE"); !begun) {
      whole = std::unexpected(begun.error());
      end = group.size();
    } else {
      const int64_t until = MonotonicNs() + kMaxGroupNs;
      while (end < group.size() && (end == at || MonotonicNs() < until)) {
        Pending& p = *group[end++];
        p.status = RunOne(*p.fn);
        if (!writer_->InTransaction()) {
          // Disk full or I/O error: SQLite has undone the whole transaction, also what went well before.
          whole = p.status ? Fail(Code::kEnvironment, "the database undid the transaction", "check the disk") : p.status;
          break;
        }
      }
      if (writer_->InTransaction()) {
        if (auto committed = writer_->Exec("COMMIT"); !committed) {
          whole = std::unexpected(committed.error());
          if (writer_->InTransaction()) (void)writer_->Exec("ROLLBACK");
        }
      }
      commits_.Add();
    }
    std::lock_guard lock(mutex_);
    for (size_t i = at; i < end; ++i) {
      if (!whole && group[i]->status) group[i]->status = whole;
      group[i]->done = true;
    }
    waiting_.Set(static_cast<double>(queue_.size()));
    answered_.notify_all();
    return end;
  }

  /// One write in its savepoint, so that a failing one takes nobody with it.
  Status RunOne(const std::function<Status(Session&)>& fn) {
    if (auto saved = writer_->Exec("SAVEPOINT one"); !saved) return std::unexpected(saved.error());
    Status status = fn(*writer_);
    if (!writer_->InTransaction()) return status;
    if (!status) {
      if (auto undone = writer_->Exec("ROLLBACK TO one"); !undone) {
        (void)writer_->Exec("ROLLBACK");
        return status;
      }
    }
    if (auto released = writer_->Exec("RELEASE one"); !released && status) {
      (void)writer_->Exec("ROLLBACK TO one");
      status = std::unexpected(released.error());
    }
    return status;
  }

  /// After the answers are out, so that nobody waits for it.
  void Checkpoint() {
    const int pages = writer_->wal_pages();
    if (pages < kCheckpointPages) {
      next_checkpoint_ = kCheckpointPages;
      return;
    }
    if (pages >= kTruncatePages) {
      writer_->SetBusyTimeout(200);
      (void)writer_->Exec("PRAGMA wal_checkpoint(RESTART)");
      writer_->SetBusyTimeout(10'000);
    } else if (pages >= next_checkpoint_) {
      if (auto done = writer_->Exec("PRAGMA wal_checkpoint(PASSIVE)"); !done) LogWarn("db", "checkpoint failed: {}", done.error().message);
      next_checkpoint_ = pages + kCheckpointPages;
    }
  }

  const std::filesystem::path file_;
  const bool durable_;
  std::unique_ptr<SqliteConnection> writer_;

  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;
  std::mutex watcher_mutex_;
  std::unique_ptr<SqliteConnection> watcher_;

  std::mutex mutex_;
  std::condition_variable ready_, answered_;
  std::vector<Pending*> queue_;
  bool stopping_ = false;
  int next_checkpoint_ = kCheckpointPages;
  Counter& writes_;
  Counter& commits_;
  Gauge& waiting_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Database>> OpenSqlite(const std::filesystem::path& file, const OpenOptions& options) {
  RONDO_TRY(auto writer, SqliteConnection::Open(file, Purpose::kWrite, options.durable));
  return std::make_unique<SqliteDatabase>(file, options.durable, std::move(writer));
}

}  // namespace rondo::db
