/// Externals on the workspace, opened at first need. Internal to pipeline.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "pipeline/state.h"
#include "workspace/workspace.h"

namespace rondo::pipeline {

class WorkspaceExternals : public Externals {
 public:
  /// `done_file`: which entries this data folder has seen.
  WorkspaceExternals(std::function<Result<workspace::Workspace*>()> open, std::filesystem::path root, std::string model, std::filesystem::path done_file)
      : open_(std::move(open)), root_(std::move(root)), model_(std::move(model)), done_file_(std::move(done_file)) {}
  Result<std::string> Value(const std::string& name) override;
  Result<bool> Accepts(const std::string& name, const std::string& recorded, const std::string& now) override;
  bool Seen(const std::string& stage, const LockedStage& entry) override;
  /// Durable; call after the stage's entry is in the lock.
  Status MarkSeen(const std::string& stage, const LockedStage& entry);

 private:
  const std::function<Result<workspace::Workspace*>()> open_;
  const std::filesystem::path root_;
  const std::string model_;
  const std::filesystem::path done_file_;
  void ReadDone();  ///< with the mutex held
  std::mutex mutex_;
  bool read_ = false;
  std::map<std::string, std::string> done_;  ///< stage -> MD5 of its entry
};

}  // namespace rondo::pipeline
