// The SQL of rondo.yaml can't leave the engine: two doors, each tested alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fmt/format.h>

#include "base/file.h"
#include "table/table.h"

namespace rondo::table {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UserSqlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteFileAtomic(dir_.path() / "secret.csv", "a,b\n1,2\n"));
    ASSERT_TRUE(WriteFileAtomic(dir_.path() / "t.csv", "id,x,day\n3,c,2024-01-03\n1,a,2024-01-01\n2,b,2024-01-02\n"));
    auto engine = Engine::Open();
    ASSERT_TRUE(engine);
    engine_ = std::move(*engine);
    ASSERT_TRUE(engine_->Load("t", dir_.path() / "t.csv", {}));
  }
  std::string File() { return (dir_.path() / "secret.csv").string(); }
  TempDir dir_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(UserSqlTest, SelectsWork) {
  for (const char* sql : {"SELECT * FROM t", "SELECT x, count(*) AS n FROM t GROUP BY x;", "WITH big AS (SELECT * FROM t WHERE id > 1) SELECT b.id, t.x FROM big b JOIN t USING (id)", "SELECT * FROM t WHERE id IN (SELECT max(id) FROM T)",
                          "SELECT l.id, r.x FROM t l ASOF JOIN t r ON l.day >= r.day -- the newest", "FROM t SELECT id, row_number() OVER (ORDER BY day) AS n", "SELECT * FROM t UNION ALL SELECT * FROM t",
                          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n", "SELECT unnest([1, 2]) AS u, id FROM t, range(3)", "SELECT * FROM t PIVOT (sum(id) FOR x IN ('a', 'b'))"}) {
    const Status status = engine_->CreateFromUserSql("out", sql);
    EXPECT_TRUE(status) << sql << ": " << status.error().Text();
  }
}

TEST_F(UserSqlTest, RowsAreOrdered) {
  ASSERT_TRUE(engine_->CreateFromUserSql("o", "SELECT x, id FROM t"));
  EXPECT_THAT(engine_->Query("SELECT * FROM o")->columns[0].strings, ElementsAre("a", "b", "c"));
  ASSERT_TRUE(engine_->CreateFromUserSql("o", "SELECT x, id FROM t ORDER BY id DESC"));
  EXPECT_THAT(engine_->Query("SELECT * FROM o")->columns[0].strings, ElementsAre("c", "b", "a"));
}

TEST_F(UserSqlTest, TypesBecomeOurs) {
  ASSERT_TRUE(engine_->CreateFromUserSql("o", "SELECT sum(id) AS total, avg(id) * 1.5 AS d, list(x ORDER BY x) AS l, max(day) AS m FROM t"));
  const Frame frame = *engine_->Query("SELECT * FROM o");
  EXPECT_EQ(frame.columns[0].type, Type::kInt);
  EXPECT_EQ(frame.columns[0].numbers[0], 6);
  EXPECT_EQ(frame.columns[1].type, Type::kFloat);
  EXPECT_EQ(frame.columns[2].strings[0], "[a, b, c]");
  EXPECT_EQ(frame.columns[3].strings[0], "2024-01-03");
  // A locked engine still writes its results.
  ASSERT_TRUE(engine_->WriteParquet("SELECT * FROM o", dir_.path() / "o.parquet"));
  EXPECT_EQ(ReadTable(dir_.path() / "o.parquet")->columns[0].numbers[0], 6);
  ASSERT_TRUE(engine_->WriteParquet("SELECT * FROM t", dir_.path() / "o.parquet"));
  EXPECT_EQ(ReadTable(dir_.path() / "o.parquet")->rows(), 3u);
  const Status huge = engine_->CreateFromUserSql("p", "SELECT 9007199254740993 AS n FROM t");
  ASSERT_FALSE(huge);
  EXPECT_THAT(huge.error().message, HasSubstr("beyond 2^53"));
}

TEST_F(UserSqlTest, FirstDoorRefusesTheStatement) {
  const std::string f = File();
  const std::pair<std::string, std::string> cases[] = {
      {fmt::format("COPY t TO '{}.out'", f), "only one SELECT"},
      {fmt::format("SELECT * FROM read_csv('{}')", f), "read_csv() is not allowed"},
      {fmt::format("SELECT * FROM '{}'", f), "there is no dataset"},
      {fmt::format("SELECT * FROM \"{}\"", f), "there is no dataset"},
      {fmt::format("SELECT * FROM t WHERE id IN (SELECT a FROM read_csv_auto('{}'))", f), "read_csv_auto() is not allowed"},
      {fmt::format("SELECT (SELECT content FROM read_text('{}')) FROM t", f), "read_text() is not allowed"},
      {fmt::format("WITH s AS (SELECT * FROM read_blob('{}')) SELECT * FROM s", f), "read_blob() is not allowed"},
      {fmt::format("SELECT * FROM t JOIN LATERAL (SELECT * FROM parquet_scan('{}')) ON true", f), "parquet_scan() is not allowed"},
      {"SELECT * FROM glob('/etc/*')", "glob() is not allowed"},
      {"SELECT * FROM query('SELECT 1')", "query() is not allowed"},
      {"SELECT * FROM query_table('t')", "query_table() is not allowed"},
      {"SELECT * FROM duckdb_settings()", "duckdb_settings() is not allowed"},
      {"SELECT * FROM information_schema.tables", "is not a dataset"},
      {"SELECT * FROM pg_catalog.pg_class", "is not a dataset"},
      {"SELECT * FROM sqlite_master", "there is no dataset"},
      {fmt::format("ATTACH '{}.db' AS x", f), "only one SELECT"},
      {"SET threads = 4", "only one SELECT"},
      {"INSTALL httpfs", "only one SELECT"},
      {"LOAD httpfs", "only one SELECT"},
      {"PRAGMA database_list", "only one SELECT"},
      {"CALL pragma_version()", "only one SELECT"},
      {"CREATE TABLE z AS SELECT 1", "only one SELECT"},
      {"DROP TABLE t", "only one SELECT"},
      {"INSERT INTO t VALUES (1)", "only one SELECT"},
      {"EXPORT DATABASE 'x.out'", "only one SELECT"},
      {"SELECT 1; SELECT 2", "2 statements"},
      {"SELECT 1; DROP TABLE t", "SELECT"},
      {"SELECT * FROM t) TO 'x.out'; --", "sql:"},
      {"DESCRIBE t", "not allowed"},
      {"SHOW TABLES", "not allowed"},
      {"SUMMARIZE t", "not allowed"},
      {"SELECT current_setting('memory_limit')", "current_setting() is not allowed"},
      {"SELECT getenv('HOME')", "getenv() is not allowed"},
      {"SELECT getvariable('x')", "getvariable() is not allowed"},
      {"SELECT random() FROM t", "another answer"},
      {"SELECT uuid() FROM t", "another answer"},
      {"SELECT now() FROM t", "another answer"},
      {"SELECT current_date FROM t", "another answer"},
      {"SELECT * FROM t WHERE day < current_timestamp", "another answer"},
      {"SELECT nextval('s')", "another answer"},
      {"SELECT write_log('x')", "another answer"},
      {"SELECT * FROM t USING SAMPLE 1 ROWS", "sample"},
      {"SELECT * FROM t TABLESAMPLE 10%", "sample"},
      {"SELECT $1", "parameters"},
      {"SELECT nothing FROM t", "nothing"},
      {"SELEC * FROM t", "syntax error"},
      {"", "statements"},
      {"SELECT id, id FROM t; SELECT", "sql:"},
      {std::string("SELECT 1\0; DROP TABLE t", 23), "NUL"},
  };
  for (const auto& [sql, part] : cases) {
    const Status status = engine_->CreateFromUserSql("out", sql);
    ASSERT_FALSE(status) << sql;
    EXPECT_THAT(status.error().message, HasSubstr(part)) << sql;
    EXPECT_EQ(static_cast<int>(status.error().code), static_cast<int>(Code::kInvalid)) << sql << ": " << status.error().Text();
    EXPECT_FALSE(status.error().hint.empty()) << sql;
  }
  EXPECT_TRUE(engine_->Query("SELECT * FROM t")) << "the table is still there";
  EXPECT_FALSE(fs::exists(f + ".out"));
}

TEST_F(UserSqlTest, SecondDoorRefusesTheSystem) {
  // Once a user's SQL has run, DuckDB itself refuses, even our own statements.
  ASSERT_TRUE(engine_->CreateFromUserSql("out", "SELECT * FROM t"));
  const std::string f = File();
  for (const std::string& sql : {fmt::format("COPY t TO '{}.out'", f), fmt::format("SELECT * FROM read_csv('{}')", f), fmt::format("SELECT * FROM '{}'", f), fmt::format("SELECT * FROM read_text('{}')", f), fmt::format("ATTACH '{}.db' AS x", f),
                                 fmt::format("SELECT * FROM glob('{}/*')", dir_.path().string()), std::string("INSTALL httpfs"), std::string("LOAD httpfs"), std::string("SET threads = 4"), std::string("SET enable_external_access = true"),
                                 std::string("SET lock_configuration = false"), std::string("SET allowed_directories = ['/']"), std::string("RESET enable_external_access"), std::string("PRAGMA memory_limit = '1GB'"),
                                 fmt::format("EXPORT DATABASE '{}'", (dir_.path() / "export").string())})
    EXPECT_FALSE(engine_->Exec(sql)) << sql;
  EXPECT_FALSE(fs::exists(f + ".out"));
  EXPECT_FALSE(fs::exists(f + ".db"));
  const auto load = engine_->Load("u", File(), {});
  ASSERT_FALSE(load);
  EXPECT_THAT(load.error().message, HasSubstr("locked"));
}

}  // namespace
}  // namespace rondo::table
