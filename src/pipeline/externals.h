/// Externals on the workspace, opened at first need. Internal to pipeline.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "pipeline/state.h"
#include "workspace/workspace.h"

namespace rondo::pipeline {

class WorkspaceExternals : public Externals {
 public:
  WorkspaceExternals(std::function<Result<workspace::Workspace*>()> open, std::filesystem::path root, std::string model)
      : open_(std::move(open)), root_(std::move(root)), model_(std::move(model)) {}
  Result<std::string> Value(const std::string& name) override;
  Result<bool> Accepts(const std::string& name, const std::string& recorded, const std::string& now) override;

 private:
  const std::function<Result<workspace::Workspace*>()> open_;
  const std::filesystem::path root_;
  const std::string model_;
};

}  // namespace rondo::pipeline
