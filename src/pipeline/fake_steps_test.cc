// The test program called as `... step NAME` plays the built-in steps on small text files, so that the engine is tested with real processes and a real
// workspace but no tables and models. Called as `... engine-run` it runs the engine on the present folder (to be killed).
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/hash.h"
#include "base/json_map.h"
#include "base/process.h"
#include "pipeline/engine.h"
#include "project/reader.h"
#include "workspace/workspace.h"

namespace rondo::pipeline {
namespace {

[[noreturn]] void Leave(int code, const std::string& message = {}) {
  if (!message.empty()) std::fprintf(stderr, "error: %s\n", message.c_str());
  std::fflush(nullptr);
  ::_exit(code);
}

std::string Read(const std::string& path) {
  auto text = ReadFile(path);
  if (!text) Leave(3, text.error().message);
  return *text;
}
void Write(const std::string& path, const std::string& text) {
  if (auto ok = WriteFileAtomic(path, text); !ok) Leave(3, ok.error().message);
}

std::string WithoutComments(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (text[at] != '#') out += text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return out;
}

void FakeStep(const std::string& name) {
  DieWithParent();
  // Stages run side by side: each appends its line in one write.
  std::ofstream("calls", std::ios::app) << name + "\n";
  auto project = ReadJson<project::Project>(Read(std::getenv("RONDO_CONFIG")));
  if (!project) Leave(2, project.error().message);
  const Json& params = project->train.params;
  if (name == "ingest") {
    Write("out/data/d.parquet", WithoutComments(Read("d.csv")));
    Write("out/data/d.json", "{}");
  } else if (name == "check") {
    const std::string data = Read("out/data/d.parquet");
    Write("out/check/d.json", "checked " + data);
    if (data.find("BAD") != std::string::npos) Leave(1, "the contract failed: BAD\n  fix it");
  } else if (name == "profile") {
    Write("out/profile/d.json", Read("out/data/d.parquet"));
    Write("out/profile/d.html", Read("out/data/d.parquet"));
  } else if (name == "split") {
    for (const char* part : {"train", "validation", "test"}) Write(std::string("out/split/") + part + ".parquet", part + Read("out/data/d.parquet"));
    Write("out/split/split.json", "{}");
  } else if (name == "prepare") {
    Write("out/prepare/features.json", Read("out/split/train.parquet"));
  } else if (name == "train") {
    if (!std::getenv("MLFLOW_RUN_ID")) Leave(3, "no run");
    Write("out/model/model.onnx", "model of " + Read("out/split/train.parquet") + params.Dump());
    if (params["rounds"].AsInt() == 13) Leave(1, "training broke half-way");
    Write("out/model/signature.json", "{}");
    std::printf("rondo: summary=trained\n");
  } else if (name == "adopt-model") {
    Write("out/model/signature.json", "adopted");
  } else if (name == "evaluate") {
    for (const char* file : {"out/metrics.json", "out/predictions/test.parquet", "out/report.html", "out/card.md", "out/card.json", "out/reference.json"}) Write(file, "eval " + Read("out/model/model.onnx"));
    if (params["rounds"].AsInt() == 7) Leave(1, "the gate auc >= 0.9 failed");
  } else if (name == "register") {
    auto w = workspace::Workspace::Open(std::getenv("RONDO_DATA"));
    if (!w) Leave(3, w.error().message);
    (void)(*w)->registry().EnsureModel("m");
    registry::Version v;
    v.name = "m";
    v.digest = HashFile("out/model/model.onnx", HashKind::kSha256)->hex;
    v.facts = Json::MakeObject();
    auto made = (*w)->registry().CreateVersion(v);
    if (!made) Leave(3, made.error().message);
    Write("out/register.json", Json::MakeObject().Set("name", "m").Set("version", made->version).Set("digest", v.digest).Dump());
  } else if (name == "deploy") {
    Write("out/deploy.json", "{}");
  } else {
    Leave(2, "no such step " + name);
  }
  Leave(0);
}

void EngineRun() {
  auto project = project::LoadProject("rondo.yaml");
  if (!project) Leave(2, project.error().Text());
  auto engine = Engine::Open(*project, fs::current_path(), fs::current_path() / ".rondo");
  if (!engine) Leave(2, engine.error().Text());
  auto run = (*engine)->Run({});
  if (!run) Leave(3, run.error().Text());
  Leave(run->status == "succeeded" ? 0 : 1);
}

/// Before GoogleTest's main: glibc hands argc and argv to constructors.
__attribute__((constructor)) void Dispatch(int argc, char** argv) {
  if (argc > 2 && std::string_view(argv[1]) == "step") FakeStep(argv[2]);
  if (argc > 1 && std::string_view(argv[1]) == "engine-run") EngineRun();
}

}  // namespace
}  // namespace rondo::pipeline
