/// The reader's parts, a file per group of sections. Internal.
#pragma once

#include <filesystem>
#include <functional>

#include "project/fields.h"

namespace rondo::project {

Status ReadProblem(const YamlNode& node, Project& out);      // reader_problem.cc
Status ReadDatasets(const YamlNode& node, Project& out);     // reader_data.cc
Status ReadSplit(const YamlNode& node, Project& out);        // reader_model.cc
Status ReadFeatures(const YamlNode& node, Project& out);
Status ReadTrain(const YamlNode& node, Project& out);
Status ReadEvaluate(const YamlNode& node, Project& out);
Status ReadDeploy(const YamlNode& node, Project& out);       // reader_loop.cc
Status ReadPredict(const YamlNode& node, Project& out);
Status ReadMonitor(const YamlNode& node, Project& out);
Status ReadRetrain(const YamlNode& node, Project& out);
Status ReadTriggers(const YamlNode& node, Project& out);
Status ReadGovern(const YamlNode& node, Project& out);
/// `vars`: the top-level list or nullptr; `config`: what templates may name beside it; `root`: the folder of the file.
Status ReadStages(const YamlNode& node, const YamlNode* vars, const Json& config, const std::filesystem::path& root, bool dvc, Project& out);  // reader_stages.cc
Status ReadPools(const YamlNode& node, Project& out);
/// dvc.yaml's top level.
Status ReadDvc(const YamlNode& root, const std::filesystem::path& folder, Project& out);
/// What only the whole file tells; `root` gives the places.
Status CrossCheck(const YamlNode& root, Project& project);   // cross_check.cc

/// Checks a user's name of a dataset, trigger or stage: letters, digits, _ and -.
Status CheckEntryName(const YamlEntry& entry, const std::string& path, std::string_view what);
/// `top` is overlaid on `base`: maps key by key, everything else replaced.
void Overlay(YamlNode& base, const YamlNode& top);           // overrides.cc
/// Applies "a.b.c=VALUE"; VALUE is read as YAML.
Status ApplySet(YamlNode& root, const std::string& assignment);

}  // namespace rondo::project
