// Rows of the table for remotes and other repositories.
#include "cli/dvc/remote_verbs.h"

namespace rondo::cli::dvc {
namespace {

std::vector<Option> With(std::vector<Option> options, const std::vector<Option>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

const std::vector<Option> kLevels = {
    {"--global", "", "Use global config."},
    {"--system", "", "Use system config."},
    {"--project", "", "Use project config (.dvc/config)."},
    {"--local", "", "Use local config (.dvc/config.local)."},
};
const Option kJobs = {"-j --jobs", "<number>", "Number of jobs to run simultaneously."};
const Option kRemote = {"-r --remote", "<name>", "Remote storage to use"};
const std::vector<Option> kSync = {
    kJobs,
    kRemote,
    {"-a --all-branches", "", "All branches."},
    {"-T --all-tags", "", "All tags."},
    {"-A --all-commits", "", "All commits."},
    {"-d --with-deps", "", "All dependencies of the specified target."},
    {"-R --recursive", "", "Subdirectories of the specified directory."},
    {"--run-cache", "", "Run history for all stages."},
    {"--no-run-cache", "", "No run history."},
    {"--glob", "", "Allows targets containing shell-style wildcards."},
};
const std::vector<Option> kOther = {
    {"--rev", "<commit>", "Git revision (e.g. SHA, branch, tag)"},
    {"--config", "<file>", "Path to a config file that will be merged with the config in the target repository."},
    {"--remote", "<name>", "Remote name to set as a default in the target repository."},
    {"--remote-config", "*", "Remote config options to merge with a remote's config in the target repository."},
};

}  // namespace

std::vector<Command> RemoteCommands() {
  return {
      {"push", "targets*", "Upload tracked files or directories to remote storage.", kSync, PushVerb},
      {"pull", "targets*", "Download tracked files or directories from remote storage.",
       With(kSync, {{"-f --force", "", "Do not prompt when removing working directory files."}, {"--allow-missing", "", "Ignore errors if some of the files or directories are missing."}}), PullVerb},
      {"fetch", "targets*", "Download files or directories from remote storage to the cache.",
       With(kSync, {{"--max-size", "<bytes>", "Fetch data files/directories that are each below specified size (bytes)."}, {"--type", "<type>", "Only fetch data of a particular type."}}), FetchVerb},
      {"remote add", "name url", "Add a new data remote.", With(kLevels, {{"-d --default", "", "Set as default remote."}, {"-f --force", "", "Force overwriting existing configs"}}), RemoteAdd},
      {"remote modify", "name option value?", "Modify the configuration of a data remote.", With(kLevels, {{"-u --unset", "", "Unset option."}}), RemoteModify},
      {"remote list", "", "List all available data remotes.", kLevels, RemoteList},
      {"remote default", "name?", "Set/unset the default data remote.", With(kLevels, {{"-u --unset", "", "Unset default remote."}}), RemoteDefault},
      {"remote remove", "name", "Remove a data remote.", kLevels, RemoteRemove},
      {"remote rename", "name new", "Rename a DVC remote", kLevels, RemoteRename},
      {"config", "name? value?", "Get or set config options.",
       With(kLevels, {{"-u --unset", "", "Unset option."}, {"-l --list", "", "List all defined config values."}, {"--show-origin", "", "Show the source file containing each config value."}}), ConfigVerb},
      {"cache dir", "value?", "Configure cache directory location.", With(kLevels, {{"-u --unset", "", "Unset option."}}), CacheDir},
      {"version", "", "Display the DVC version and system/environment information.", {}, VersionVerb, "doctor"},
      {"import", "url path", "Download file or directory tracked by DVC or by Git into the workspace, and track it.",
       With(kOther, {{"-o --out", "<path>", "Destination path to download files to"}, {"-f --force", "", "Override destination file or folder if exists."},
                     {"--no-exec", "", "Only create .dvc file without actually importing target data."},
                     {"--no-download", "", "Create .dvc file including target data hash value(s) but do not actually download the file(s)."}, kJobs}),
       ImportVerb},
      {"import-url", "url out?", "Download or copy file from URL and take it under DVC control.",
       {{"--to-remote", "", "Download it directly to the remote"}, kRemote, {"--no-exec", "", "Only create .dvc file without actually importing target data."},
        {"--no-download", "", "Create .dvc file including target data hash value(s) but do not actually download the file(s)."}, kJobs,
        {"-f --force", "", "Override local file or folder if exists."}, {"--version-aware", "", "Import using cloud versioning."}, {"--fs-config", "*", "Config options for the target url."}},
       ImportUrlVerb},
      {"update", "targets+", "Update data artifact imported (via dvc import or dvc import-url) from an external DVC repository or URL.",
       {{"--rev", "<commit>", "Git revision (e.g. SHA, branch, tag)"}, {"-R --recursive", "", "Update all stages in the specified directory."},
        {"--no-download", "", "Update .dvc file git revision/hash value(s) but do not download the file(s)."}, {"--to-remote", "", "Update data directly on the remote"}, kRemote, kJobs},
       UpdateVerb},
      {"get", "url path", "Download file or directory tracked by DVC or by Git.",
       With(kOther, {{"-o --out", "<path>", "Destination path to download files to"}, {"--show-url", "", "Print the storage location (URL) the target data would be downloaded from, and exit."}, kJobs,
                     {"-f --force", "", "Override local file or folder if exists."}}),
       GetVerb},
      {"get-url", "url out?", "Download or copy files from URL.", {kJobs, {"-f --force", "", "Override local file or folder if exists."}, {"--fs-config", "*", "Config options for the target url."}},
       GetUrlVerb},
      {"list", "url path?", "List repository contents, including files and directories tracked by DVC and by Git.",
       With(kOther, {{"-R --recursive", "", "Recursively list files."}, {"-T --tree", "", "Recurse into directories as a tree."}, {"-L --level", "<depth>", "Limit the depth of recursion."},
                     {"--dvc-only", "", "Show only DVC outputs."}, {"--json", "", "Show output in JSON format."}, {"--size", "", "Show sizes."}, {"--show-hash", "", "Display hash value for each item."}}),
       ListVerb, "ls"},
  };
}

}  // namespace rondo::cli::dvc
