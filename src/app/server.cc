#include "app/server.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "api/endpoints.h"
#include "api/infer.h"
#include "api/mlflow.h"
#include "api/monitor.h"
#include "api/router.h"
#include "api/static.h"
#include "api/v1.h"
#include "app/housekeeper.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/version.h"
#include "monitor/monitor.h"
#include "pipeline/trigger.h"
#include "project/reader.h"
#include "registry/webhook_sender.h"
#include "serving/server.h"
#include "tracking/trash.h"
#include "workspace/garbage.h"

namespace rondo::app {
namespace {

constexpr int64_t kDrainMs = 10'000;

struct Address {
  std::string host;
  uint16_t port = 0;
  bool loopback = false;
  std::string Url(bool tls, uint16_t bound) const {
    return fmt::format("{}://{}:{}", tls ? "https" : "http", host.find(':') == std::string::npos ? host : "[" + host + "]", bound);
  }
};

Result<Address> ParseListen(const std::string& text) {
  Address a;
  const size_t colon = text.rfind(':');
  const auto bad = [&] { return Fail(Code::kInvalid, "\"" + text + "\" is no address to listen on", "write it like 127.0.0.1:7070"); };
  if (colon == std::string::npos) return bad();
  a.host = text.substr(0, colon);
  if (a.host.starts_with('[') && a.host.ends_with(']')) a.host = a.host.substr(1, a.host.size() - 2);
  if (a.host == "localhost") a.host = "127.0.0.1";
  const std::string port = text.substr(colon + 1);
  if (port.empty() || port.size() > 5 || port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535 || a.host.empty()) return bad();
  a.port = static_cast<uint16_t>(std::stoi(port));
  a.loopback = a.host.starts_with("127.") || a.host == "::1";
  return a;
}

/// The project around the present folder; absent when there is none (an MLflow server, a team server).
struct Home {
  std::optional<project::Project> project;
  fs::path root, data;
};

Result<Home> FindHome(const cli::UpOptions& options) {
  Home home;
  std::error_code ec;
  if (auto root = project::FindProjectRoot(fs::current_path()); root && fs::exists(*root / "rondo.yaml", ec)) {
    RONDO_TRY(home.project, project::LoadProject(*root / "rondo.yaml"));
    home.root = *root;
  }
  home.data = options.data;
  if (home.data.empty())
    if (const char* env = std::getenv("RONDO_DATA")) home.data = env;
  if (home.data.empty()) home.data = (home.root.empty() ? fs::current_path() : home.root) / ".rondo";
  home.data = fs::absolute(home.data);
  return home;
}

/// The parts of a running server, in the order in which they are made; destroyed the other way round.
struct Parts {
  std::unique_ptr<workspace::Workspace> workspace;
  std::unique_ptr<govern::Accounts> accounts;
  std::unique_ptr<registry::Webhooks> webhooks;
  std::unique_ptr<registry::WebhookSender> webhook_sender;
  EventBus bus;
  std::unique_ptr<monitor::Monitor> monitor;
  std::unique_ptr<serving::Server> serving;
  std::unique_ptr<pipeline::Triggers> triggers;
  api::Context context;
  std::unique_ptr<api::Router> router;
  std::unique_ptr<net::Server> net;
  std::unique_ptr<Housekeeper> housekeeper;
};

/// An alarm or enough labels ask for a new model: labelled predictions first, then the run.
Result<std::string> Retrain(Parts& parts, const Home& home, const monitor::RetrainDecision& decision) {
  if (!parts.triggers) return Fail(Code::kUnsupported, "this server has no project to retrain");
  if (home.project->retrain.feedback == "append" && home.project->deploy && home.project->problem) {
    RONDO_TRY(const int64_t rows, parts.monitor->WriteFeedback(home.project->deploy->endpoint, home.root / "out" / "feedback" / (home.project->problem->data + ".parquet")));
    LogInfo("app", "{} labelled predictions go into the training data", rows);
  }
  RONDO_TRY(const pipeline::Submitted submitted, parts.triggers->Submit({{}, decision.kind, decision.cause_id, decision.why, "rondo:retrain", {}}));
  if (!submitted.accepted) return Fail(Code::kConflict, submitted.why);
  return submitted.run_id;
}

Status StartParts(Parts& parts, const Home& home) {
  monitor::MonitorOptions watch;
  if (home.project) {
    watch.spec = home.project->monitor;
    watch.retrain = home.project->retrain;
    watch.retrain_now = [&](const monitor::RetrainDecision& d) { return Retrain(parts, home, d); };
  }
  watch.bus = &parts.bus;
  RONDO_TRY(parts.monitor, monitor::Monitor::Open(*parts.workspace, std::move(watch)));
  serving::ServerOptions serve;
  serve.metrics = [monitor = parts.monitor.get()](const std::string& endpoint, int64_t version, const project::Gate& gate, int64_t since) {
    const monitor::Realised r = monitor->realised().Of(endpoint, version, gate, since);
    return serving::MetricEstimate{r.value, r.low, r.high, r.samples, r.why};
  };
  RONDO_TRY(parts.serving, serving::Server::Start(*parts.workspace, std::move(serve)));
  parts.serving->AddObserver([monitor = parts.monitor.get()](const std::string&, const std::vector<data::Prediction>&) { monitor->Wake(); });
  if (home.project) {
    pipeline::TriggerOptions options;
    const std::string endpoint = home.project->deploy ? home.project->deploy->endpoint : "";
    options.allow_retrain = [&parts, endpoint](const pipeline::TriggerEvent& event) {
      auto decision = parts.monitor->retrain().Consider({event.cause, event.kind, endpoint, event.why});
      return decision && decision->should;
    };
    RONDO_TRY(parts.triggers, pipeline::Triggers::Start(parts.workspace->db(), parts.workspace->clock(), *home.project, home.root, home.data, std::move(options)));
  }
  RONDO_DO(parts.monitor->Start());
  return {};
}

/// `--artifacts-destination`: the folder becomes the data folder's `artifacts`, for every process that opens it.
Status LinkArtifacts(const fs::path& data, const std::string& destination) {
  if (destination.empty()) return {};
  std::error_code ec;
  const fs::path target = fs::weakly_canonical(fs::absolute(destination), ec), link = data / "artifacts";
  RONDO_DO(MakeDirs(target));
  if (fs::is_symlink(link, ec)) {
    if (fs::weakly_canonical(link, ec) == target) return {};
    return Fail(Code::kConflict, fmt::format("this data folder keeps its artifacts in {}, not in {}", fs::weakly_canonical(link, ec).string(), target.string()), "leave --artifacts-destination out, or use another --data folder");
  }
  if (fs::exists(link, ec)) {
    if (fs::weakly_canonical(link, ec) == target) return {};
    if (!fs::is_empty(link, ec)) return Fail(Code::kConflict, "this data folder has artifacts of its own already", "move them to " + target.string() + " by hand and remove " + link.string() + " first");
    fs::remove(link, ec);
  }
  fs::create_directory_symlink(target, link, ec);
  if (ec) return Fail(Code::kEnvironment, "cannot link " + link.string() + ": " + ec.message());
  return {};
}

/// Where clients and this server look for artifacts.
Status PlaceArtifacts(Parts& parts, const cli::UpOptions& options) {
  api::Context& c = parts.context;
  c.local_artifacts = options.local_artifacts;
  c.artifact_root = options.artifact_root;
  while (c.artifact_root.size() > 1 && c.artifact_root.ends_with('/')) c.artifact_root.pop_back();
  if (c.artifact_root.empty()) return {};
  if (const auto local = api::mlflow::LocalPathOf(c.artifact_root)) {
    if (!c.local_artifacts) return Fail(Code::kInvalid, "--default-artifact-root names a folder of this machine", "every client must see the same folder: say --local-artifacts too, or leave it out to send artifacts through this server");
    if (!local->is_absolute()) return Fail(Code::kInvalid, "--default-artifact-root must be a URI or an absolute path, not \"" + c.artifact_root + "\"");
    c.local_root = *local;
    RONDO_TRY(auto store, blob::OpenLocal(*local));
    c.local_store = std::move(store);
  }
  return parts.workspace->tracking().SetArtifactRoot(c.artifact_root);
}

void FillContext(Parts& parts, const Home& home, const cli::UpOptions& options, const Address& address, const std::string& token) {
  api::Context& c = parts.context;
  c.workspace = parts.workspace.get();
  if (home.project) c.project = &*home.project;
  c.project_root = home.root.string();
  c.serving = parts.serving.get();
  c.monitor = parts.monitor.get();
  c.ui_dir = options.ui_dir;
  c.webhooks = parts.webhooks.get();
  c.webhook_sender = parts.webhook_sender.get();
  if (!token.empty() && !options.insecure) c.tokens.push_back(Sha256Hex(token));
  c.accounts = parts.accounts.get();
  c.login = !options.insecure && (!address.loopback || options.login || !token.empty());
  if (address.loopback) c.allowed_hosts = {"127.0.0.1", "localhost", "[::1]", address.host};
  for (const std::string& host : options.hosts) c.allowed_hosts.push_back(host);
  if (!address.loopback && options.hosts.empty()) c.allowed_hosts = {"*"};
  c.call_hook = [&parts](const api::Context::HookCall& hook) -> Result<std::string> {
    if (!parts.triggers) return Fail(Code::kForbidden, "this server has no webhook triggers");
    auto submitted = hook.signature.empty() ? parts.triggers->Webhook(hook.name, hook.secret, hook.key) : parts.triggers->SignedWebhook(hook.name, hook.body, hook.signature, hook.key);
    if (!submitted) return std::unexpected(submitted.error());
    if (!submitted->accepted && submitted->run_id.empty()) return Fail(Code::kConflict, submitted->why);
    return submitted->run_id;
  };
  c.start_run = [&parts](const std::string& trigger, const std::string& cause, const std::vector<std::string>& stages) -> Result<std::string> {
    if (!parts.triggers) return Fail(Code::kUnsupported, "this server has no project to run", "start it in a folder with a rondo.yaml");
    RONDO_TRY(const pipeline::Submitted submitted, parts.triggers->Submit({{}, trigger, cause, "asked for through the API", trigger, stages}));
    if (!submitted.accepted) return Fail(Code::kConflict, submitted.why);
    return submitted.run_id;
  };
}

void AddRoutes(api::Router& router) {
  api::AddSystem(router);
  api::AddInfer(router);
  api::AddEndpoints(router);
  api::AddMonitor(router);
  api::AddMlflow(router);
  api::AddV1(router);
  api::AddPages(router, api::EmbeddedPages());
}

Status EmptyTrash(workspace::Workspace& w, int64_t days) {
  const int64_t now = w.clock().NowMs();
  RONDO_TRY(const auto purged, tracking::PurgeOld(w.db(), now - days * 86'400'000, now));
  RONDO_TRY(const auto files, workspace::CollectGarbage(w));
  if (purged.experiments + purged.runs + purged.logged_models == 0) return {};
  LogInfo("app", "trash: purged {} experiments, {} runs, {} logged models, {} artifact folders", purged.experiments, purged.runs, purged.logged_models, files.folders);
  govern::AuditEntry entry;
  entry.actor = "rondo:trash";
  entry.action = "trash.purge";
  entry.object = fmt::format("everything older than {} days", days);
  entry.after = Json::MakeObject().Set("experiments", purged.experiments).Set("runs", purged.runs).Set("logged_models", purged.logged_models).Set("folders", files.folders);
  RONDO_TRY([[maybe_unused]] const auto stored, w.audit().Append(std::move(entry)));
  return {};
}

/// What somebody who starts a server that others can reach has to know.
void PrintAccess(Parts& parts, const std::string& url, bool loopback, bool tls) {
  if (!parts.context.login) {
    if (!loopback) cli::Print("  access     nobody is asked who he is (--insecure)");
    return;
  }
  if (const std::string code = parts.accounts->NewSetupCode(); !code.empty())
    cli::Print(fmt::format("  access     no administrator yet: open {}/login?setup={} once, or run `rondo user add NAME --admin`", url, code));
  if (!tls && !loopback) cli::Print("  access     passwords and tokens travel unencrypted: use --tls-certificate and --tls-key, or a proxy that does TLS");
}

/// Waits for SIGTERM or SIGINT (both blocked in every thread).
void WaitForSignal(const sigset_t& set) {
  int signal = 0;
  while (::sigwait(&set, &signal) != 0) {
  }
  LogInfo("app", "signal {}: draining", signal);
}

}  // namespace

Status Up(const cli::UpOptions& options) {
  SetLogLevel(LogLevel::kInfo);
  RONDO_TRY(const Address address, ParseListen(options.listen));
  const char* token_env = std::getenv("RONDO_TOKEN");
  const std::string token = token_env ? token_env : "";
  if (!token.empty() && token.size() < 16) return Fail(Code::kInvalid, "RONDO_TOKEN has fewer than 16 characters", "use a random one: openssl rand -hex 24");
  RONDO_TRY(const Home home, FindHome(options));
  RONDO_DO(MakeDirs(home.data));
  auto lock = FileLock::TryLock(home.data / "server.lock");
  if (!lock) {
    if (lock.error().code != Code::kConflict) return std::unexpected(lock.error());
    return Fail(Code::kConflict, "another server runs on this data folder: " + lock.error().message, "stop it, or use another folder: --data DIR");
  }

  // Signals are taken by sigwait below; children start with a clean mask.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  Parts parts;
  RONDO_DO(LinkArtifacts(home.data, options.artifacts_destination));
  RONDO_TRY(parts.workspace, workspace::Workspace::Open(home.data));
  RONDO_TRY(const std::string key, parts.workspace->SecretKey());
  RONDO_TRY(parts.accounts, govern::Accounts::Open(parts.workspace->db(), parts.workspace->clock(), key));
  RONDO_DO(PlaceArtifacts(parts, options));
  parts.webhooks = registry::MakeWebhooks(parts.workspace->db(), parts.workspace->clock(), {[w = parts.workspace.get()] { return w->SecretKey(); }, options.private_webhooks});
  parts.webhook_sender = registry::WebhookSender::Start(parts.workspace->db(), parts.workspace->clock(), *parts.webhooks);
  RONDO_DO(StartParts(parts, home));
  FillContext(parts, home, options, address, token);
  parts.router = std::make_unique<api::Router>(parts.context);
  AddRoutes(*parts.router);
  net::ServerOptions net;
  net.address = address.host;
  net.port = address.port;
  net.spool = home.data / "spool";
  RONDO_DO(MakeDirs(net.spool));
  net.tls_certificate = options.tls_certificate;
  net.tls_key = options.tls_key;
  RONDO_TRY(parts.net, net::Server::Start(net, parts.router->Build()));

  const std::string url = address.Url(!options.tls_certificate.empty(), parts.net->port());
  RONDO_DO(WriteFileAtomic(home.data / "server.json", Json::MakeObject().Set("url", url).Set("pid", static_cast<int64_t>(::getpid())).Set("version", kVersion).Pretty()));
  cli::Print(fmt::format("rondo {} at {}\n  pages      {}/\n  MLflow     MLFLOW_TRACKING_URI={}\n  inference  {}/v2/models/<endpoint>/infer\n  data       {}", kVersion, url, url, url, url, home.data.string()));
  PrintAccess(parts, url, address.loopback, !options.tls_certificate.empty());
  std::fflush(stdout);
  std::vector<Housekeeper::Task> tasks = {{"when tokens were used", 10'000, true, [&parts] { return parts.accounts->FlushUse(); }}};
  if (options.trash_days > 0) tasks.push_back({"emptying the trash", 3600'000, false, [&parts, days = options.trash_days] { return EmptyTrash(*parts.workspace, days); }});
  parts.housekeeper = std::make_unique<Housekeeper>(std::move(tasks));

  WaitForSignal(signals);
  std::error_code ec;
  fs::remove(home.data / "server.json", ec);
  // A second signal ends it at once.
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  parts.net->Drain(kDrainMs);
  parts.net.reset();
  parts.housekeeper.reset();
  parts.triggers.reset();
  parts.webhook_sender->Stop();
  parts.serving->Stop();
  parts.monitor->Stop();
  return {};
}

}  // namespace rondo::app
