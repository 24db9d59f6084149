// Pipeline runs, their stages and logs; what a run would do now; starting one.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "api/v1.h"
#include "base/file.h"
#include "base/id.h"
#include "pipeline/engine.h"
#include "pipeline/graph.h"
#include "pipeline/journal.h"
#include "project/spec.h"

namespace rondo::api {
namespace {

struct StageRunJson {
  std::string name, status;
  int64_t attempts = 0;
  double seconds = 0;
  std::optional<int64_t> started, ended, exit_code;
  std::optional<std::string> summary;
  std::vector<std::string> deps;
  std::vector<pipeline::Change> why;
};
BOOST_DESCRIBE_STRUCT(StageRunJson, (), (name, status, attempts, seconds, started, ended, exit_code, summary, deps, why))

struct PipelineRunJson {
  std::string id, status;
  int64_t started = 0;
  std::optional<int64_t> ended;
  std::string trigger;
  std::optional<std::string> cause, actor, commit, run_id, error;
  std::vector<StageRunJson> stages;
  std::map<std::string, double> metrics;
};
BOOST_DESCRIBE_STRUCT(PipelineRunJson, (), (id, status, started, ended, trigger, cause, actor, commit, run_id, error, stages, metrics))

struct LogPartJson {
  std::string text;
  int64_t offset = 0;
  bool done = false;
};
BOOST_DESCRIBE_STRUCT(LogPartJson, (), (text, offset, done))

struct PlanStageJson {
  std::string name, action;
  std::vector<std::string> deps;
  std::vector<pipeline::Change> why;
};
BOOST_DESCRIBE_STRUCT(PlanStageJson, (), (name, action, deps, why))

struct StartBody {
  std::vector<std::string> stages;
  bool force = false;
  std::string reason;
};
BOOST_DESCRIBE_STRUCT(StartBody, (), (stages, force, reason))

using Deps = std::map<std::string, std::vector<std::string>>;

Deps DepsOf(const std::vector<pipeline::StageNode>& graph) {
  Deps out;
  for (const pipeline::StageNode& node : graph) {
    std::vector<std::string>& deps = out[node.name];
    for (const size_t i : node.before) deps.push_back(graph[i].name);
  }
  return out;
}

/// The project's graph; empty without a project.
std::vector<pipeline::StageNode> GraphOf(const Context& context) {
  const auto project = ProjectOf(context);
  if (!project) return {};
  auto graph = pipeline::BuildGraph(*project);
  return graph ? std::move(*graph) : std::vector<pipeline::StageNode>();
}

std::optional<std::string> NotEmpty(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

PipelineRunJson RunJsonOf(Call& call, const pipeline::RunRecord& run, const std::vector<pipeline::StageNode>& graph, const Deps& deps) {
  PipelineRunJson out;
  out.id = run.id;
  out.status = run.status;
  out.started = run.started;
  out.ended = run.ended;
  out.trigger = run.trigger;
  out.cause = NotEmpty(run.cause);
  out.actor = NotEmpty(run.actor);
  out.commit = NotEmpty(run.commit);
  out.run_id = NotEmpty(run.mlflow_run);
  out.error = NotEmpty(run.error);
  std::map<std::string, const pipeline::StageRecord*> known;
  std::set<std::string> placed;
  for (const pipeline::StageRecord& s : run.stages) known[s.name] = &s;
  const auto place = [&](const std::string& name) {
    const auto it = known.find(name);
    StageRunJson stage;
    stage.name = name;
    stage.status = "waiting";
    if (it != known.end()) {
      const pipeline::StageRecord& s = *it->second;
      stage.status = s.status;
      stage.attempts = s.attempts;
      stage.seconds = s.seconds;
      const bool ran = s.status == "running" || s.status == "succeeded" || s.status == "failed" || s.status == "cancelled";
      if (s.started > 0 && ran) stage.started = s.started;
      stage.ended = ran ? s.ended : std::nullopt;
      stage.exit_code = s.exit_code;
      stage.summary = NotEmpty(s.summary);
      stage.why = s.why;
      if (s.status == "running" && s.started > 0) stage.seconds = static_cast<double>(call.workspace().clock().NowMs() - s.started) / 1000;
    }
    if (const auto d = deps.find(name); d != deps.end()) stage.deps = d->second;
    out.stages.push_back(std::move(stage));
    placed.insert(name);
  };
  // In the graph's order; a finished run of some stages shows those only, one that goes on or broke off shows what did not come to its turn.
  for (const pipeline::StageNode& node : graph)
    if (known.contains(node.name) || run.status == "running" || run.status == "failed" || run.status == "cancelled") place(node.name);
  // Stages that the present rondo.yaml no longer has.
  for (const pipeline::StageRecord& s : run.stages)
    if (!placed.contains(s.name)) place(s.name);
  if (!run.mlflow_run.empty())
    if (const auto tracked = call.workspace().tracking().GetRun(run.mlflow_run))
      for (const tracking::Metric& m : tracked->metrics)
        if (m.key.starts_with("test_")) out.metrics[m.key] = m.value;
  return out;
}

Result<net::Response> ListPipelineRuns(Call& call) {
  RONDO_TRY(const int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  RONDO_TRY(auto journal, pipeline::Journal::Open(call.workspace().db(), call.workspace().clock()));
  RONDO_TRY(const auto runs, journal.Runs(limit));
  const auto graph = GraphOf(call.context());
  const Deps deps = DepsOf(graph);
  std::vector<PipelineRunJson> out;
  for (const pipeline::RunRecord& run : runs) out.push_back(RunJsonOf(call, run, graph, deps));
  return JsonResponse(ToJson(out));
}

Result<net::Response> OnePipelineRun(Call& call) {
  RONDO_TRY(auto journal, pipeline::Journal::Open(call.workspace().db(), call.workspace().clock()));
  RONDO_TRY(const pipeline::RunRecord run, journal.Run(call.Path("id")));
  const auto graph = GraphOf(call.context());
  return JsonResponse(ToJson(RunJsonOf(call, run, graph, DepsOf(graph))));
}

/// Cuts a text at both ends so that no UTF-8 sequence is halved, and replaces what is no UTF-8: JSON can't hold it.
std::string CleanUtf8(std::string_view in) {
  std::string out;
  out.reserve(in.size());
  for (size_t i = 0; i < in.size();) {
    const auto c = static_cast<unsigned char>(in[i]);
    const size_t n = c < 0x80 ? 1 : (c >> 5) == 6 ? 2 : (c >> 4) == 14 ? 3 : (c >> 3) == 30 ? 4 : 0;
    bool good = n > 0 && i + n <= in.size();
    for (size_t k = 1; good && k < n; ++k) good = (static_cast<unsigned char>(in[i + k]) >> 6) == 2;
    if (good) {
      out.append(in.substr(i, n));
      i += n;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  return out;
}

Result<net::Response> StageLog(Call& call) {
  constexpr int64_t kTail = 64 << 10, kMost = 1 << 20;
  RONDO_TRY(auto journal, pipeline::Journal::Open(call.workspace().db(), call.workspace().clock()));
  RONDO_TRY(const pipeline::RunRecord run, journal.Run(call.Path("id")));
  const auto stage = std::ranges::find(run.stages, call.Path("stage"), &pipeline::StageRecord::name);
  if (stage == run.stages.end() || stage->log.empty()) return Fail(Code::kNotFound, fmt::format("run {} has no log of \"{}\"", run.id, call.Path("stage").substr(0, 80)));
  const fs::path log = fs::path(stage->log).is_absolute() ? fs::path(stage->log) : call.workspace().folder() / stage->log;
  LogPartJson out;
  out.done = stage->status != "running";
  std::error_code ec;
  const auto size = static_cast<int64_t>(fs::file_size(log, ec));
  if (ec) {
    if (!out.done) return JsonResponse(ToJson(out));  // not written yet
    return Fail(Code::kNotFound, fmt::format("the log of {} is gone", stage->name));
  }
  RONDO_TRY(int64_t from, call.QueryInt("offset", -1, -1, INT64_MAX));
  if (from < 0) from = std::max<int64_t>(0, size - kTail);
  from = std::min(from, size);
  const int64_t length = std::min(size - from, kMost);
  std::ifstream file(log, std::ios::binary);
  file.seekg(from);
  std::string text(static_cast<size_t>(length), '\0');
  file.read(text.data(), length);
  text.resize(static_cast<size_t>(std::max<std::streamsize>(0, file.gcount())));
  // A sequence that is still being written is left for the next part.
  if (!out.done)
    while (!text.empty() && static_cast<unsigned char>(text.back()) >= 0x80) text.pop_back();
  out.offset = from + static_cast<int64_t>(text.size());
  out.done = out.done && out.offset >= size;
  out.text = CleanUtf8(text);
  return JsonResponse(ToJson(out));
}

Result<net::Response> ShowPlan(Call& call) {
  const Context& context = call.context();
  RONDO_TRY(const auto project, ReadProject(context));
  RONDO_TRY(const auto engine, pipeline::Engine::Open(*project, context.project_root, context.workspace->folder()));
  RONDO_TRY(const auto planned, engine->Plan({}));
  const Deps deps = DepsOf(engine->graph());
  std::vector<PlanStageJson> stages;
  for (const pipeline::PlannedStage& s : planned) {
    const auto d = deps.find(s.name);
    stages.push_back({s.name, s.action, d == deps.end() ? std::vector<std::string>() : d->second, s.why});
  }
  return JsonResponse(Json::MakeObject().Set("stages", ToJson(stages)));
}

Result<net::Response> StartPipelineRun(Call& call) {
  RONDO_TRY(const StartBody body, call.Body<StartBody>());
  Context& context = call.context();
  if (!context.project || !context.start_run) return Fail(Code::kUnsupported, "this server has no project folder to run in", "start `rondo up` inside a project");
  const Deps deps = DepsOf(GraphOf(context));
  std::vector<std::string> args;
  if (body.force) args.push_back("--force");
  for (const std::string& stage : body.stages) {
    // Names become arguments of a command: only those of the graph are let through.
    if (!deps.contains(stage)) return Fail(Code::kInvalid, fmt::format("there is no stage \"{}\"", stage.substr(0, 80)), "/api/v1/pipeline/plan lists them");
    args.push_back(stage);
  }
  // Each request is a cause of its own: asking twice is two runs.
  RONDO_TRY(const std::string id, context.start_run("api", "api:" + NewId(), args));
  govern::AuditEntry entry;
  entry.actor = call.actor();
  entry.action = "run.request";
  entry.object = "pipeline_run " + id;
  entry.reason = body.reason.substr(0, 500);
  entry.after = ToJson(body);
  RONDO_TRY([[maybe_unused]] const auto stored, context.workspace->audit().Append(entry));
  return JsonResponse(Json::MakeObject().Set("id", id), 202);
}

}  // namespace

void AddV1Pipeline(Router& router) {
  router.Get("/api/v1/pipeline/runs", Permission::kRead | Scope::kServer, "Pipeline runs, newest first", ListPipelineRuns);
  router.Get("/api/v1/pipeline/runs/{id}", Permission::kRead | Scope::kServer, "One pipeline run with its stages", OnePipelineRun);
  router.Get("/api/v1/pipeline/runs/{id}/logs/{stage}", Permission::kRead | Scope::kServer, "The log of a stage, from an offset or its end", StageLog);
  router.Get("/api/v1/pipeline/plan", Permission::kRead | Scope::kServer, "What a run would do now, and why", ShowPlan);
  router.Post("/api/v1/pipeline/runs", Permission::kWrite | Scope::kServer, "Start a pipeline run", StartPipelineRun);
}

}  // namespace rondo::api
