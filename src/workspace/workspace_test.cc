// The data folder: opened by several processes, artifacts only inside it, one way to move aliases.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "workspace/workspace.h"

namespace rondo::workspace {
namespace {

TEST(Workspace, OpensEmptyAndAgain) {
  TempDir dir;
  const fs::path folder = dir.path() / "project/.rondo";
  {
    auto w = Workspace::Open(folder);
    ASSERT_TRUE(w) << w.error().Text();
    EXPECT_EQ((*w)->tracking().GetExperiment("0")->name, "Default");
    EXPECT_GT((*w)->tracking().GetExperiment("0")->creation_time, 0);
    EXPECT_EQ(*ReadFile(folder / ".gitignore"), "/*\n");
  }
  const int64_t start = MonotonicNs();
  auto again = Workspace::Open(folder);
  ASSERT_TRUE(again);
  RecordProperty("open_us", static_cast<int>((MonotonicNs() - start) / 1000));
  auto meanwhile = Workspace::Open(folder);
  ASSERT_TRUE(meanwhile) << "two at once";
  ASSERT_TRUE((*again)->tracking().EnsureExperiment("x"));
  EXPECT_TRUE((*meanwhile)->tracking().GetExperimentByName("x"));
}

TEST(Workspace, AFileInTheWayIsAnError) {
  TempDir dir;
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "data", "x"));
  const auto w = Workspace::Open(dir.path() / "data");
  ASSERT_FALSE(w);
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "d2/rondo.db", std::string(5000, 'x')));
  const auto damaged = Workspace::Open(dir.path() / "d2");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Code::kEnvironment);
}

TEST(Workspace, ArtifactsStayInside) {
  TempDir dir;
  FakeClock clock;
  auto w = *Workspace::Open(dir.path() / "d", clock);
  const tracking::Run run = *w->tracking().CreateRun("0", "u", "r", 1, {});
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "f", "bytes"));
  ASSERT_TRUE(w->LogArtifact(run, dir.path() / "f", "model/model.onnx"));
  EXPECT_EQ(*ReadFile(*w->ArtifactPath(run.artifact_uri, "model/model.onnx")), "bytes");
  EXPECT_EQ(*ReadFile(*w->ArtifactPath(run.artifact_uri + "/model", "model.onnx")), "bytes");
  EXPECT_EQ(*ReadFile(*w->ArtifactPath("mlflow-artifacts://host:5000/0/" + run.run_id + "/artifacts", "model/model.onnx")), "bytes");
  EXPECT_EQ(w->ArtifactPath(run.artifact_uri, "none").error().code, Code::kNotFound);
  for (const char* uri : {"file:///etc", "/etc", "mlflow-artifacts:/../../etc", "mlflow-artifacts:/", "s3://bucket/x", ""}) EXPECT_FALSE(w->ArtifactPath(uri, "passwd")) << uri;
  EXPECT_FALSE(w->ArtifactPath(run.artifact_uri, "../../../../rondo.db"));
  EXPECT_FALSE(w->LogArtifact(run, dir.path() / "f", "../x"));
}

TEST(Workspace, OneSecretKeyForAllProcesses) {
  TempDir dir;
  Workspace::Open(dir.path()).value().reset();
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      auto w = Workspace::Open(dir.path());
      const auto key = w ? (*w)->SecretKey() : Result<std::string>(std::unexpected(w.error()));
      _exit(key && WriteFileAtomic(dir.path() / ("key" + std::to_string(i)), *key) ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const std::string key = *(*Workspace::Open(dir.path()))->SecretKey();
  EXPECT_EQ(key.size(), 64u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(*ReadFile(dir.path() / ("key" + std::to_string(i))), key);
  struct stat st {};
  ASSERT_EQ(stat((dir.path() / "secret.key").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  ASSERT_TRUE(WriteFileAtomic(dir.path() / "secret.key", "short", 0600));
  EXPECT_EQ((*Workspace::Open(dir.path()))->SecretKey().error().code, Code::kEnvironment) << "never silently another key";
}

TEST(Workspace, MovingAnAliasIsAudited) {
  TempDir dir;
  FakeClock clock;
  auto w = *Workspace::Open(dir.path(), clock);
  ASSERT_TRUE(w->registry().EnsureModel("churn"));
  for (int i = 0; i < 2; ++i) {
    registry::Version v;
    v.name = "churn";
    ASSERT_TRUE(w->registry().CreateVersion(v));
  }
  const int64_t before = *w->db().ChangeCounter();
  ASSERT_TRUE(w->MoveAlias("churn", "champion", 1, "anna", "first"));
  ASSERT_TRUE(w->MoveAlias("churn", "champion", 2, "rondo:retrain", "better"));
  ASSERT_TRUE(w->MoveAlias("churn", "champion", 2, "anna", "nothing to do"));
  EXPECT_NE(*w->db().ChangeCounter(), before);
  EXPECT_FALSE(w->MoveAlias("churn", "champion", 9, "anna", "no such version"));
  const auto audit = *w->audit().List(0, 10, "model churn@champion");
  ASSERT_EQ(audit.size(), 2u) << "moves only, and none of the refused";
  EXPECT_EQ(audit[0].action, "alias.set");
  EXPECT_EQ(audit[0].before["version"].AsInt(), 1);
  EXPECT_EQ(audit[0].after["version"].AsInt(), 2);
  EXPECT_EQ(audit[0].reason, "better");
  EXPECT_TRUE(audit[1].before.IsNull());
  EXPECT_TRUE(w->audit().Verify()->faults.empty());
  EXPECT_EQ(w->registry().AliasHistory("churn", "champion")->size(), 2u);
}

}  // namespace
}  // namespace rondo::workspace
