#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/file.h"
#include "cli/command.h"
#include "model/evaluation.h"
#include "project/reader.h"

namespace rondo::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

struct Output {
  int code = 0;
  std::string out, err;
};

Output Call_(std::vector<std::string> words) {
  words.insert(words.begin(), "rondo");
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Output o;
  const Hooks hooks;
  o.code = Main(static_cast<int>(argv.size()), argv.data(), hooks);
  o.out = ::testing::internal::GetCapturedStdout();
  o.err = ::testing::internal::GetCapturedStderr();
  return o;
}

/// The present folder for the length of a test.
class InFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    before_ = fs::current_path();
    fs::current_path(dir_.path());
  }
  void TearDown() override { fs::current_path(before_); }
  TempDir dir_;
  fs::path before_;
};

TEST(Commands, AreNamedOnceAndExplained) {
  std::set<std::string> names;
  for (const Command& c : Commands()) {
    EXPECT_TRUE(names.insert(c.name).second) << c.name;
    EXPECT_FALSE(c.help.empty()) << c.name;
    EXPECT_TRUE(c.run) << c.name;
    for (const Option& o : c.options) EXPECT_TRUE((o.name.starts_with("--") || o.name.size() == 2) && !o.help.empty()) << c.name << " " << o.name;
  }
  const auto overview = Call_({"--help"});
  for (const Command& c : Commands()) EXPECT_THAT(overview.out, HasSubstr(c.name)) << "its group is not shown";
}

TEST(Commands, MistypedOnesSuggestTheNearest) {
  const auto command = Call_({"rnu"});
  EXPECT_EQ(command.code, 2);
  EXPECT_THAT(command.err, HasSubstr("did you mean `rondo run`"));
  const auto option = Call_({"run", "--forse"});
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.err, HasSubstr("did you mean --force"));
  EXPECT_EQ(Call_({"run", "--jobs"}).code, 2);
  EXPECT_EQ(Call_({"why"}).code, 2);
  EXPECT_EQ(Call_({"version", "extra"}).code, 2);
  EXPECT_THAT(Call_({"model"}).err, HasSubstr("model list"));
}

TEST(Commands, CompletionKnowsThemAll) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto o = Call_({"completion", shell});
    EXPECT_EQ(o.code, 0);
    for (const Command& c : Commands()) EXPECT_THAT(o.out, HasSubstr(c.name.substr(c.name.rfind(' ') + 1))) << shell;
  }
  EXPECT_EQ(Call_({"completion", "tcsh"}).code, 2);
}

TEST(Gates, TheReadersMetricsAreTheModels) {
  for (const project::Task task : {project::Task::binary, project::Task::multiclass, project::Task::regression})
    EXPECT_THAT(project::OfflineGateMetrics(task), UnorderedElementsAreArray(model::GateMetrics(task)));
}

TEST_F(InFolder, InitWritesAFileThatReads) {
  std::string csv = "Customer ID,amount,plan,left\n";
  for (int i = 0; i < 60; ++i) csv += std::to_string(i) + "," + std::to_string(i * 1.5) + "," + "abc"[i % 3] + "," + (i % 4 ? "No" : "Yes") + "\n";
  ASSERT_TRUE(WriteFileAtomic("my data/customers 1.csv", csv));
  const auto init = [&](const std::string& target) { return Call_({"init", "my data/customers 1.csv", "--target", target, "--force"}); };
  ASSERT_EQ(init("left").code, 0);
  auto p = project::LoadProject("rondo.yaml");
  ASSERT_TRUE(p) << p.error().Text();
  EXPECT_EQ(p->problem->task, project::Task::binary);
  EXPECT_EQ(p->problem->positive, "Yes");
  EXPECT_EQ(p->problem->key, "Customer ID");
  EXPECT_EQ(p->data[0].from, "my data/customers 1.csv");
  EXPECT_THAT(*ReadFile(".gitignore"), HasSubstr("/.rondo/\n"));
  ASSERT_EQ(init("plan").code, 0);
  EXPECT_EQ(project::LoadProject("rondo.yaml")->problem->task, project::Task::multiclass);
  ASSERT_EQ(init("amount").code, 0);
  EXPECT_EQ(project::LoadProject("rondo.yaml")->problem->task, project::Task::regression);
  const auto wrong = init("lefd");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean left"));
  EXPECT_THAT(Call_({"init", "my data/customers 1.csv", "--target", "left"}).err, HasSubstr("already"));
  EXPECT_EQ(Call_({"init", "nowhere.csv", "--target", "x", "--force"}).code, 1);
}

TEST_F(InFolder, WithoutAProjectTheErrorSaysWhatToType) {
  const auto o = Call_({"run"});
  EXPECT_EQ(o.code, 2);
  EXPECT_THAT(o.err, ::testing::AllOf(HasSubstr("rondo.yaml"), HasSubstr("rondo init")));
}

TEST_F(InFolder, AnUnknownAlgorithmIsSaidBeforeAnythingRuns) {
  ASSERT_TRUE(WriteFileAtomic("rondo.yaml", "project: t\nproblem: {task: binary, target: y, positive: a}\ndata: {d: {from: d.csv}}\ntrain: {algorithm: xgbost}\n"));
  const auto o = Call_({"run"});
  EXPECT_EQ(o.code, 2);
  EXPECT_THAT(o.err, ::testing::AllOf(HasSubstr("xgbost"), HasSubstr("xgboost")));
  EXPECT_FALSE(fs::exists(".rondo/rondo.db"));
}

TEST_F(InFolder, ErrorsAreJsonWhenAskedFor) {
  const auto o = Call_({"plan", "--json"});
  EXPECT_EQ(o.code, 2);
  auto json = ParseJson(o.out);
  ASSERT_TRUE(json) << o.out;
  EXPECT_EQ((*json)["error"]["code"].AsString(), "NOT_FOUND");
}

}  // namespace
}  // namespace rondo::cli
