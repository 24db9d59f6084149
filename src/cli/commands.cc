// The one list of commands.
#include "cli/command.h"
#include "cli/verbs.h"

namespace rondo::cli {
namespace {

/// What push, pull and fetch share.
std::vector<Option> SyncOptions(std::vector<Option> more = {}) {
  std::vector<Option> options = {{"--remote", "NAME", "which remote (default: the default one)"},
                                 {"--jobs", "N", "transfers at once (default: the remote's number)"},
                                 {"--all-branches", "", "also what the other branches need"},
                                 {"--all-tags", "", "also what the tags need"},
                                 {"--all-commits", "", "also what any commit needs"},
                                 {"--run-cache", "", "also the results of stages"},
                                 {"--ask-again", "", "believe no index of what is there"}};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace

const std::vector<Command>& Commands() {
  static const std::vector<Command> commands = {
      {"init", "start", "FILE", "write a first rondo.yaml for a file of data",
       {{"--target", "COLUMN", "the column to predict"}, {"--name", "NAME", "of the project (default: the folder's)"}, {"--force", "", "replace the rondo.yaml that is there"}},
       Init},
      {"up", "start", "", "start everything: API, web pages, serving, monitoring, schedules",
       {{"--listen", "ADDR:PORT", "address (default 127.0.0.1:7070; port 0: any free one)"},
        {"--host", "NAME", "answer to this name in the Host header too", true},
        {"--insecure", "", "allow another address than loopback without a token"},
        {"--tls-certificate", "FILE", "PEM certificate chain: serve HTTPS"},
        {"--tls-key", "FILE", "its PEM key"},
        {"--default-artifact-root", "URI", "where clients put artifacts of new experiments, like s3://bucket/path (default: on this server)"},
        {"--artifacts-destination", "DIR", "keep this server's artifacts in this folder"},
        {"--private-webhooks", "", "webhooks may call this machine and private networks, also over plain http"},
        {"--local-artifacts", "", "clients may name folders of this machine as places of artifacts"},
        {"--ui-dir", "DIR", "serve the web pages from this folder (development)"}},
       Up},
      {"status", "start", "", "is a server running here, what is deployed, what waits", {}, StatusVerb},
      {"doctor", "start", "", "check engines, data folder and project", {}, Doctor},
      {"version", "start", "", "the program's version", {}, Version},
      {"completion", "start", "SHELL", "completion for bash, zsh or fish: source <(rondo completion bash)", {}, Completion},
      {"licenses", "start", "", "licences of what Rondo is made of", {}, Licenses},
      {"data list", "data", "[DATASET]", "versions of the datasets", {}, DataList},
      {"data check", "data", "[DATASET]", "check the datasets against their contracts", {}, DataCheck},
      {"data push", "data", "[TARGET…]", "send tracked data to a remote: only what is new, files before the folders that name them", SyncOptions(), DataPush},
      {"data pull", "data", "[TARGET…]", "get tracked data from a remote and put them into the workspace", SyncOptions({{"--force", "", "replace files that are saved nowhere"}}), DataPull},
      {"data fetch", "data", "[TARGET…]", "get tracked data from a remote into the cache only", SyncOptions(), DataFetch},
      {"data remote list", "data", "", "places where data are kept for others", {}, DataRemoteList},
      {"data remote add", "data", "NAME URL", "a folder, s3://bucket/prefix, or https://… (to read)",
       {{"--default", "", "make it the default"}, {"--force", "", "replace one of this name"}, {"--local", "", "only for me: not in git"}, {"--global", "", "for all my repositories"}}, DataRemoteAdd},
      {"data remote modify", "data", "NAME KEY [VALUE]", "set a key of a remote (endpointurl, profile, ...); secrets belong under --local",
       {{"--unset", "", "remove the key"}, {"--local", "", "only for me: not in git"}, {"--global", "", "for all my repositories"}}, DataRemoteModify},
      {"data remote default", "data", "[NAME]", "show or set the default remote", {{"--unset", "", "no default"}, {"--local", "", "only for me"}, {"--global", "", "for all my repositories"}}, DataRemoteDefault},
      {"data remote remove", "data", "NAME", "forget a remote (its data stay)", {{"--local", "", "only for me"}, {"--global", "", "for all my repositories"}}, DataRemoteRemove},
      {"data import", "data", "SOURCE [PATH]", "data of a URL, or PATH of another repository, tracked with where they come from",
       {{"--out", "PATH", "where to put them"}, {"--rev", "REV", "revision of the repository"}, {"--remote", "NAME", "its remote"}, {"--jobs", "N", "transfers at once"}, {"--force", "", "replace what is there"}}, DataImport},
      {"data update", "data", "TARGET…", "look at the source of imported data again", {{"--rev", "REV", "revision of the repository"}}, DataUpdate},
      {"data get", "data", "SOURCE [PATH]", "copy data of a URL, or PATH of another repository, without tracking them",
       {{"--out", "PATH", "where to put them"}, {"--rev", "REV", "revision of the repository"}, {"--remote", "NAME", "its remote"}, {"--jobs", "N", "transfers at once"}, {"--force", "", "replace what is there"}}, DataGet},
      {"data profile", "data", "FILE", "describe any CSV, Parquet or JSON file", {{"--html", "FILE", "write the page there"}}, DataProfile},
      {"run", "pipeline", "[STAGE…]", "bring the project up to date: run what has changed, skip the rest",
       {{"--force", "", "run the named stages even when nothing changed"},
        {"--jobs", "N", "how many stages at once (default 2)"},
        {"--dry", "", "only say what would run"},
        {"--keep-going", "", "run what doesn't depend on a failed stage"},
        {"--downstream", "", "the named stages and what follows them, instead of what they need"},
        {"--backfill", "DAYS", "one run a day of 2026-01-01..2026-01-31; ${date} in stages is the day"},
        {"--no-run-cache", "", "run again what could be restored"},
        {"--set", "KEY=VALUE", "override a value of rondo.yaml", true},
        {"--trigger", "KIND", "what starts this run (schedules and alarms use it)"},
        {"--cause", "ID", "the alarm, label count or time behind it"},
        {"--run-id", "ID", "32 hex digits for the run"},
        {"--actor", "NAME", "on whose behalf"}},
       Run},
      {"plan", "pipeline", "[STAGE…]", "what would run, and why", {{"--set", "KEY=VALUE", "override a value of rondo.yaml", true}}, PlanVerb},
      {"why", "pipeline", "STAGE", "what changed since a stage last ran", {{"--set", "KEY=VALUE", "override a value of rondo.yaml", true}}, Why},
      {"runs", "pipeline", "", "pipeline runs, newest first", {{"--limit", "N", "how many (default 20)"}}, RunsVerb},
      {"logs", "pipeline", "RUN [STAGE]", "what the stages of a run printed", {{"--follow", "", "go on printing until the run has ended"}, {"-f", "", "the same"}}, Logs},
      {"diff", "pipeline", "RUN RUN", "what differs between two runs: config, content, params, metrics", {}, Diff},
      {"schema", "pipeline", "", "the JSON Schema of rondo.yaml, for editors", {}, Schema},
      {"algorithms", "pipeline", "", "what `train.algorithm` can be, with its params", {}, Algorithms},
      {"step", "pipeline", "NAME", "one built-in step by hand", {}, Step},
      {"model list", "models", "", "registered models", {}, ModelList},
      {"model show", "models", "MODEL", "versions, metrics, gates, aliases of a model (name, name@alias or name/version)", {}, ModelShow},
      {"model compare", "models", "MODEL MODEL", "two versions side by side", {}, ModelCompare},
      {"model history", "models", "NAME", "who moved which alias, when and why", {{"--alias", "ALIAS", "only this one"}}, ModelHistory},
      {"model promote", "models", "MODEL", "make a version the champion", {{"--alias", "ALIAS", "another alias than champion"}, {"--reason", "TEXT", "why"}}, ModelPromote},
      {"model rollback", "models", "NAME", "give the alias champion back to the version before", {{"--reason", "TEXT", "why"}}, ModelRollback},
      {"model export", "models", "MODEL DIR", "the model's files into a folder", {}, ModelExport},
      {"model card", "models", "MODEL", "the model card (Markdown)", {}, ModelCardVerb},
      {"monitor show", "watching", "[ENDPOINT]", "drift, data defects and realised performance of an endpoint", {{"--model-version", "N", "another version than the one that answered last"}}, MonitorShow},
      {"alarms", "watching", "", "alarms, newest first", {{"--endpoint", "NAME", "only of this endpoint"}, {"--limit", "N", "how many (default 20)"}}, AlarmsVerb},
      {"label add", "watching", "FILE", "ground truth of earlier predictions: a table with an id or key column and the target",
       {{"--endpoint", "NAME", "whose predictions (default: the project's endpoint)"}}, LabelAdd},
      {"deploy", "serving", "MODEL", "start the rollout of a version (name/version) on its endpoint",
       {{"--endpoint", "NAME", "default: the one of rondo.yaml, else the model's name"}, {"--rollout", "KIND", "all-at-once | blue-green | canary | shadow | ab"}, {"--reason", "TEXT", "why"}}, Deploy},
      {"rollout show", "serving", "[ENDPOINT]", "the rollout that goes on, its steps and guards, and those before", {}, RolloutShow},
      {"rollout advance", "serving", "[ENDPOINT]", "on to the next step, or promote", {{"--reason", "TEXT", "why"}}, RolloutAdvance},
      {"rollout pause", "serving", "[ENDPOINT]", "stay at this step", {{"--reason", "TEXT", "why"}}, RolloutPause},
      {"rollout resume", "serving", "[ENDPOINT]", "go on", {{"--reason", "TEXT", "why"}}, RolloutResume},
      {"rollout abort", "serving", "[ENDPOINT]", "end it, the champion stays", {{"--reason", "TEXT", "why"}}, RolloutAbort},
      {"predict", "serving", "MODEL", "score a file: name@alias, name/version, a folder or an .onnx file; or an entry of predict: by its name",
       {{"--data", "FILE", "the rows: CSV, Parquet, JSON, NDJSON, or the name of a dataset"}, {"--out", "FILE", "key, score, decision: .parquet or .csv"}}, Predict},
      {"endpoint list", "serving", "", "endpoints with their champion and rollout", {}, EndpointList},
      {"endpoint show", "serving", "[ENDPOINT]", "one endpoint with its changes", {}, EndpointShow},
      {"reproduce", "models", "RUN", "do again what a run did and compare: data, split, features, model, metrics (a run, or model/version)", {}, Reproduce},
      {"lineage", "watching", "ID", "where something came from and what came from it (prediction, run, version, dataset, alarm …)", {}, LineageVerb},
      {"approve", "governing", "MODEL", "approve a version, bound to its bytes", {{"--reason", "TEXT", "why"}, {"--role", "ROLE", "in which role"}}, Approve},
      {"reject", "governing", "MODEL", "reject a version", {{"--reason", "TEXT", "why"}, {"--role", "ROLE", "in which role"}}, Reject},
      {"audit show", "governing", "", "the newest entries of the audit log", {{"--limit", "N", "how many (default 20)"}, {"--object", "TEXT", "only of this object"}}, AuditShow},
      {"audit verify", "governing", "", "check the hash chain of the audit log", {}, AuditVerify},
      {"backup", "outside", "FILE", "a consistent copy of the metadata, also while a server runs", {}, Backup},
  };
  return commands;
}

}  // namespace rondo::cli
