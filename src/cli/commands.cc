// The one list of commands.
#include "cli/command.h"
#include "cli/verbs.h"

namespace rondo::cli {

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
        {"--ui-dir", "DIR", "serve the web pages from this folder (development)"}},
       Up},
      {"status", "start", "", "is a server running here, what is deployed, what waits", {}, StatusVerb},
      {"doctor", "start", "", "check engines, data folder and project", {}, Doctor},
      {"version", "start", "", "the program's version", {}, Version},
      {"completion", "start", "SHELL", "completion for bash, zsh or fish: source <(rondo completion bash)", {}, Completion},
      {"licenses", "start", "", "licences of what Rondo is made of", {}, Licenses},
      {"data list", "data", "[DATASET]", "versions of the datasets", {}, DataList},
      {"data check", "data", "[DATASET]", "check the datasets against their contracts", {}, DataCheck},
      {"data profile", "data", "FILE", "describe any CSV, Parquet or JSON file", {{"--html", "FILE", "write the page there"}}, DataProfile},
      {"run", "pipeline", "[STAGE…]", "bring the project up to date: run what has changed, skip the rest",
       {{"--force", "", "run the named stages even when nothing changed"},
        {"--jobs", "N", "how many stages at once (default 2)"},
        {"--dry", "", "only say what would run"},
        {"--keep-going", "", "run what doesn't depend on a failed stage"},
        {"--set", "KEY=VALUE", "override a value of rondo.yaml", true},
        {"--trigger", "KIND", "what starts this run (schedules and alarms use it)"},
        {"--cause", "ID", "the alarm, label count or time behind it"},
        {"--run-id", "ID", "32 hex digits for the run"},
        {"--actor", "NAME", "on whose behalf"}},
       Run},
      {"plan", "pipeline", "[STAGE…]", "what would run, and why", {{"--set", "KEY=VALUE", "override a value of rondo.yaml", true}}, PlanVerb},
      {"why", "pipeline", "STAGE", "what changed since a stage last ran", {{"--set", "KEY=VALUE", "override a value of rondo.yaml", true}}, Why},
      {"runs", "pipeline", "", "pipeline runs, newest first", {{"--limit", "N", "how many (default 20)"}}, RunsVerb},
      {"logs", "pipeline", "RUN [STAGE]", "what the stages of a run printed", {}, Logs},
      {"diff", "pipeline", "RUN RUN", "what differs between two runs: config, content, params, metrics", {}, Diff},
      {"schema", "pipeline", "", "the JSON Schema of rondo.yaml, for editors", {}, Schema},
      {"algorithms", "pipeline", "", "what `train.algorithm` can be, with its params", {}, Algorithms},
      {"step", "pipeline", "NAME", "one built-in step by hand", {}, Step},
      {"model list", "models", "", "registered models", {}, ModelList},
      {"model show", "models", "MODEL", "versions, metrics, gates, aliases of a model (name, name@alias or name/version)", {}, ModelShow},
      {"model compare", "models", "MODEL MODEL", "two versions side by side", {}, ModelCompare},
      {"model history", "models", "NAME", "who moved which alias, when and why", {{"--alias", "ALIAS", "only this one"}}, ModelHistory},
      {"model promote", "models", "MODEL", "make a version the champion", {{"--alias", "ALIAS", "another alias than champion"}, {"--reason", "TEXT", "why"}}, ModelPromote},
      {"model export", "models", "MODEL DIR", "the model's files into a folder", {}, ModelExport},
      {"model card", "models", "MODEL", "the model card (Markdown)", {}, ModelCardVerb},
      {"monitor show", "watching", "[ENDPOINT]", "drift, data defects and realised performance of an endpoint", {{"--model-version", "N", "another version than the one that answered last"}}, MonitorShow},
      {"alarms", "watching", "", "alarms, newest first", {{"--endpoint", "NAME", "only of this endpoint"}, {"--limit", "N", "how many (default 20)"}}, AlarmsVerb},
      {"label add", "watching", "FILE", "ground truth of earlier predictions: a table with an id or key column and the target",
       {{"--endpoint", "NAME", "whose predictions (default: the project's endpoint)"}}, LabelAdd},
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
