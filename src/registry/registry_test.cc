// Registered models, versions, aliases, search, lineage.
#include <gtest/gtest.h>

#include "base/file.h"
#include "registry/registry.h"

namespace rondo::registry {
namespace {

struct RegistryTest : ::testing::Test {
  TempDir dir;
  FakeClock clock;
  std::unique_ptr<db::Database> db = *db::OpenSqlite(dir.path() / "x.db", {.durable = false});
  std::unique_ptr<Registry> r;
  void SetUp() override {
    const Status migrated = db->Migrate("registry", Migrations());
    ASSERT_TRUE(migrated) << migrated.error().Text();
    r = MakeRegistry(*db, clock);
  }
  Version Add(const std::string& name, const std::string& digest = {}, Tags tags = {}) {
    clock.Advance(10);
    Version v;
    v.name = name;
    v.source = "mlflow-artifacts:/0/r/artifacts/model";
    v.run_id = "run" + digest;
    v.digest = digest;
    v.tags = std::move(tags);
    auto made = r->CreateVersion(v);
    EXPECT_TRUE(made) << (made ? "" : made.error().Text());
    return made.value_or(Version{});
  }
};

TEST_F(RegistryTest, ModelsComeAndGo) {
  ASSERT_TRUE(r->CreateModel("churn", "who leaves", {{"team", "growth"}}));
  EXPECT_EQ(r->CreateModel("churn", "", {}).error().message, "Registered Model (name=churn) already exists.");
  EXPECT_EQ(r->GetModel("none").error().message, "Registered Model with name=none not found");
  EXPECT_EQ(r->EnsureModel("churn")->description, "who leaves");
  EXPECT_EQ(r->EnsureModel("new")->name, "new");
  for (const char* bad : {"", "  ", "a/b", "a:b", "..", "."}) EXPECT_FALSE(r->CreateModel(bad, "", {})) << bad;
  ASSERT_TRUE(r->UpdateModel("churn", "x"));
  ASSERT_TRUE(r->SetModelTag("churn", "k", "v"));
  ASSERT_TRUE(r->DeleteModelTag("churn", "team"));
  EXPECT_EQ(r->GetModel("churn")->tags, (Tags{{"k", "v"}}));
  ASSERT_TRUE(r->DeleteModel("churn"));
  EXPECT_FALSE(r->GetModel("churn"));
  EXPECT_FALSE(r->DeleteModel("churn"));
}

TEST_F(RegistryTest, VersionsCountUpAndAreBoundToBytes) {
  ASSERT_TRUE(r->CreateModel("m", "", {}));
  EXPECT_EQ(Add("m", "d1").version, 1);
  EXPECT_EQ(Add("m", "d2").version, 2);
  EXPECT_EQ(Add("m", "d1").version, 1) << "the same bytes are the same version";
  EXPECT_EQ(Add("m").version, 3);
  EXPECT_EQ(Add("m").version, 4) << "without a digest each is new";
  ASSERT_TRUE(r->DeleteVersion("m", 4));
  EXPECT_EQ(r->GetVersion("m", 4).error().message, "Model Version (name=m, version=4) not found");
  EXPECT_EQ(r->GetVersion("none", 1).error().message, "Model Version (name=none, version=1) not found");
  EXPECT_EQ(Add("m").version, 5) << "a number is never given again";
  ASSERT_TRUE(r->SetDigest("m", 3, "d3"));
  ASSERT_TRUE(r->SetDigest("m", 3, "d3"));
  EXPECT_EQ(r->SetDigest("m", 3, "other").error().code, Code::kConflict);
  ASSERT_TRUE(r->SetFacts("m", 3, Json::MakeObject().Set("auc", 0.84)));
  EXPECT_EQ(r->GetVersion("m", 3)->facts["auc"].AsDouble(), 0.84);
  ASSERT_TRUE(r->UpdateVersion("m", 3, "third"));
  ASSERT_TRUE(r->SetVersionTag("m", 3, "a", "b"));
  EXPECT_EQ(r->GetVersion("m", 3)->tags, (Tags{{"a", "b"}}));
  ASSERT_TRUE(r->DeleteVersionTag("m", 3, "a"));
  const auto all = *r->Versions("m");
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].version, 5);
  Version orphan;
  orphan.name = "none";
  EXPECT_EQ(r->CreateVersion(orphan).error().code, Code::kNotFound);
}

TEST_F(RegistryTest, AliasesRememberWhoMovedThem) {
  ASSERT_TRUE(r->CreateModel("m", "", {}));
  (void)Add("m");
  (void)Add("m");
  ASSERT_TRUE(r->SetAlias("m", "champion", 1, "anna", "first"));
  ASSERT_TRUE(r->SetAlias("m", "champion", 2, "rondo:retrain", "better auc"));
  ASSERT_TRUE(r->SetAlias("m", "champion", 2, "anna", "again"));
  EXPECT_EQ(r->VersionByAlias("m", "champion")->version, 2);
  EXPECT_EQ(r->VersionByAlias("m", "latest")->version, 2);
  EXPECT_EQ(r->VersionByAlias("m", "nope").error().message, "Registered model alias nope not found.");
  EXPECT_EQ(r->VersionByAlias("m", "nope").error().code, Code::kNotFound);
  EXPECT_EQ(r->GetVersion("m", 2)->aliases, std::vector<std::string>{"champion"});
  EXPECT_EQ(r->SetAlias("m", "champion", 9, "a", "").error().code, Code::kNotFound);
  for (const char* bad : {"", "a b", "latest", "Latest", "v1", "V22", "a/b"}) EXPECT_EQ(r->SetAlias("m", bad, 1, "a", "").error().code, Code::kInvalid) << bad;
  EXPECT_TRUE(r->SetAlias("m", "v1x", 1, "a", ""));
  ASSERT_TRUE(r->DeleteAlias("m", "champion", "anna", "gone"));
  ASSERT_TRUE(r->DeleteAlias("m", "champion", "anna", "gone"));
  const auto history = *r->AliasHistory("m", "champion");
  ASSERT_EQ(history.size(), 3u) << "only what changed";
  EXPECT_EQ(history[0].from, 2);
  EXPECT_FALSE(history[0].to);
  EXPECT_EQ(history[1].from, 1);
  EXPECT_EQ(history[1].to, 2);
  EXPECT_EQ(history[1].actor, "rondo:retrain");
  EXPECT_EQ(history[2].reason, "first");
  EXPECT_EQ(r->AliasHistory("m", "")->size(), 4u);
  ASSERT_TRUE(r->DeleteVersion("m", 1));
  EXPECT_FALSE(r->VersionByAlias("m", "v1x")) << "an alias of a deleted version goes with it";
  ASSERT_TRUE(r->DeleteModel("m"));
  EXPECT_EQ(r->AliasHistory("m", "")->size(), 5u) << "history stays";
}

TEST_F(RegistryTest, RenamingTakesHistoryAndLineageAlong) {
  ASSERT_TRUE(r->CreateModel("a", "", {}));
  (void)Add("a");
  ASSERT_TRUE(r->SetAlias("a", "champion", 1, "x", "y"));
  ASSERT_TRUE(r->AddEdges({{"run", "r1", "produced", "version", "a/1", 0}, {"version", "a/1", "serves", "endpoint", "e", 0}, {"run", "r2", "produced", "version", "ab/1", 0}}));
  ASSERT_TRUE(r->RenameModel("a", "b"));
  EXPECT_FALSE(r->GetModel("a"));
  EXPECT_EQ(r->GetVersion("b", 1)->name, "b");
  EXPECT_EQ(r->AliasHistory("b", "champion")->size(), 1u);
  EXPECT_EQ(r->EdgesOf("version", "b/1")->size(), 2u);
  EXPECT_EQ(r->EdgesOf("version", "ab/1")->size(), 1u) << "another model's";
  ASSERT_TRUE(r->CreateModel("c", "", {}));
  EXPECT_EQ(r->RenameModel("b", "c").error().message, "Registered Model (name=c) already exists.");
}

TEST_F(RegistryTest, Stages) {
  ASSERT_TRUE(r->CreateModel("m", "", {}));
  for (int i = 0; i < 3; ++i) (void)Add("m");
  ASSERT_TRUE(r->TransitionStage("m", 1, "production", false));
  ASSERT_TRUE(r->TransitionStage("m", 2, "Production", true));
  EXPECT_EQ(r->GetVersion("m", 1)->current_stage, "Archived");
  EXPECT_EQ(r->GetVersion("m", 2)->current_stage, "Production");
  EXPECT_FALSE(r->TransitionStage("m", 3, "Archived", true));
  EXPECT_FALSE(r->TransitionStage("m", 3, "Nowhere", false));
  const auto latest = r->GetModel("m")->latest_versions;
  ASSERT_EQ(latest.size(), 3u) << "the newest of each stage";
}

TEST_F(RegistryTest, Searches) {
  for (const char* name : {"churn", "Churn2", "mail", "prompt"}) {
    clock.Advance(5);
    ASSERT_TRUE(r->CreateModel(name, "", {{"team", name}}));
  }
  ASSERT_TRUE(r->SetModelTag("prompt", "mlflow.prompt.is_prompt", "true"));
  (void)Add("churn", "1", {{"kind", "xgb"}});
  (void)Add("churn", "2");
  (void)Add("mail", "3");
  std::string token;
  const auto models = [&](const std::string& filter, std::vector<std::string> order = {}) {
    token.clear();
    std::vector<std::string> names;
    const auto found = r->SearchModels(filter, order, 100, token);
    EXPECT_TRUE(found) << filter << (found ? "" : found.error().message);
    if (found)
      for (const Model& m : *found) names.push_back(m.name);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(models(""), (Names{"Churn2", "churn", "mail"})) << "prompts are left out";
  EXPECT_EQ(models("name LIKE 'churn%'"), Names{"churn"});
  EXPECT_EQ(models("name ILIKE 'CHURN%'", {"name DESC"}), (Names{"churn", "Churn2"}));
  EXPECT_EQ(models("tags.team = 'mail'"), Names{"mail"});
  EXPECT_EQ(models("tags.`mlflow.prompt.is_prompt` = 'true'"), Names{"prompt"});
  EXPECT_EQ(models("tags.`mlflow.prompt.is_prompt` != 'true'").size(), 3u);
  EXPECT_EQ(models("", {"timestamp DESC"})[0], "mail");
  EXPECT_FALSE(r->SearchModels("version = 1", {}, 10, token));
  EXPECT_FALSE(r->SearchModels("", {"run_id"}, 10, token));
  EXPECT_FALSE(r->SearchModels("", {}, 0, token));
  EXPECT_EQ(r->SearchModels("", {}, 2, token)->size(), 2u);
  EXPECT_EQ(r->SearchModels("", {}, 2, token)->size(), 1u);
  const auto versions = [&](const std::string& filter, std::vector<std::string> order = {}) {
    token.clear();
    std::vector<std::string> names;
    const auto found = r->SearchVersions(filter, order, 100, token);
    EXPECT_TRUE(found) << filter << (found ? "" : found.error().message);
    if (found)
      for (const Version& v : *found) names.push_back(v.name + "/" + std::to_string(v.version));
    return names;
  };
  EXPECT_EQ(versions(""), (Names{"mail/1", "churn/2", "churn/1"})) << "last changed first";
  EXPECT_EQ(versions("name = 'churn' AND version_number > 1"), Names{"churn/2"});
  EXPECT_EQ(versions("run_id IN ('run1', 'run3')", {"name", "version_number"}), (Names{"churn/1", "mail/1"}));
  EXPECT_EQ(versions("tags.kind = 'xgb'"), Names{"churn/1"});
  EXPECT_EQ(versions("source_path LIKE '%/model'").size(), 3u);
}

TEST_F(RegistryTest, ReferencesResolve) {
  EXPECT_EQ(ParseModelRef("churn@champion")->alias, "champion");
  EXPECT_EQ(ParseModelRef("churn/7")->version, 7);
  EXPECT_EQ(ParseModelRef("churn")->name, "churn");
  for (const char* bad : {"", "churn@", "churn/", "churn/x", "churn/0", "churn/-1", "@champion", "/1", "a:b"}) EXPECT_EQ(ParseModelRef(bad).error().code, Code::kInvalid) << bad;
  ASSERT_TRUE(r->CreateModel("m", "", {}));
  EXPECT_EQ(Resolve(*r, *ParseModelRef("m")).error().code, Code::kNotFound);
  for (int i = 0; i < 3; ++i) (void)Add("m");
  EXPECT_EQ(Resolve(*r, *ParseModelRef("m"))->version, 3) << "no champion: the newest";
  ASSERT_TRUE(r->SetAlias("m", "champion", 2, "a", ""));
  EXPECT_EQ(Resolve(*r, *ParseModelRef("m"))->version, 2);
  EXPECT_EQ(Resolve(*r, *ParseModelRef("m/1"))->version, 1);
}

TEST_F(RegistryTest, EdgesGoBothWays) {
  ASSERT_TRUE(r->AddEdges({{"dataset", "d", "read", "run", "r", 5}, {"run", "r", "produced", "version", "m/1", 6}}));
  ASSERT_TRUE(r->AddEdges({{"dataset", "d", "read", "run", "r", 9}}));
  const auto edges = *r->EdgesOf("run", "r");
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges[0].from_id, "d");
  EXPECT_EQ(edges[0].time, 5) << "the first time counts";
  EXPECT_EQ(edges[1].to_id, "m/1");
  EXPECT_TRUE(r->EdgesOf("run", "none")->empty());
}

}  // namespace
}  // namespace rondo::registry
