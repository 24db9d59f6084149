// Roles and what they reach: folders hand down, names with '*' match their beginning, the server's role holds everywhere.
#include <fmt/format.h>

#include <algorithm>

#include "govern/accounts.h"

namespace rondo::govern {
namespace {

constexpr std::string_view kRoles[] = {"none", "viewer", "editor", "manager", "admin"};

Role Exact(const std::map<std::string, Role, std::less<>>& roles, std::string_view name) {
  const auto it = roles.find(name);
  return it == roles.end() ? Role::kNone : it->second;
}

Role Named(const std::map<std::string, Role, std::less<>>& exact, const std::map<std::string, Role, std::less<>>& prefixes, std::string_view name) {
  Role best = Exact(exact, name);
  for (const auto& [prefix, role] : prefixes)
    if (name.starts_with(prefix)) best = std::max(best, role);
  return best;
}

}  // namespace

std::string_view RoleName(Role role) { return kRoles[static_cast<size_t>(role)]; }

Result<Role> ParseRole(std::string_view text) {
  for (size_t i = 0; i < std::size(kRoles); ++i)
    if (kRoles[i] == text) return static_cast<Role>(i);
  return Fail(Code::kInvalid, fmt::format("\"{}\" is no role", text.substr(0, 40)), "viewer, editor, manager or admin");
}

std::string_view FolderOf(std::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

Caller Caller::All(std::string name) {
  static const auto all = [] {
    auto rights = std::make_shared<Rights>();
    rights->server = Role::kAdmin;
    return std::shared_ptr<const Rights>(std::move(rights));
  }();
  return Caller(std::move(name), 0, all);
}

Role Caller::OnServer() const { return rights_ ? rights_->server : Role::kNone; }

Role Caller::OnFolder(std::string_view path) const {
  Role best = OnServer();
  if (!rights_ || rights_->folders.empty()) return best;
  for (; !path.empty(); path = FolderOf(path)) best = std::max(best, Exact(rights_->folders, path));
  return best;
}

Role Caller::OnExperiment(std::string_view id, std::string_view name) const {
  if (!rights_) return Role::kNone;
  return std::max(OnFolder(FolderOf(name)), Exact(rights_->experiments, id));
}

Role Caller::OnModel(std::string_view name) const { return rights_ ? std::max(rights_->server, Named(rights_->models, rights_->model_prefixes, name)) : Role::kNone; }
Role Caller::OnEndpoint(std::string_view name) const { return rights_ ? std::max(rights_->server, Named(rights_->endpoints, rights_->endpoint_prefixes, name)) : Role::kNone; }

Role Caller::On(const Resource& resource, std::string_view experiment_name) const {
  if (resource.kind == "folder") return OnFolder(resource.name);
  if (resource.kind == "experiment") return OnExperiment(resource.name, experiment_name);
  // A grant over many names is only given by someone whose rights cover them all.
  if (resource.name.ends_with('*')) {
    Role best = OnServer();
    const std::string_view prefix = std::string_view(resource.name).substr(0, resource.name.size() - 1);
    if (rights_ && (resource.kind == "model" || resource.kind == "endpoint"))
      for (const auto& [known, role] : resource.kind == "model" ? rights_->model_prefixes : rights_->endpoint_prefixes)
        if (prefix.starts_with(known)) best = std::max(best, role);
    return best;
  }
  if (resource.kind == "model") return OnModel(resource.name);
  if (resource.kind == "endpoint") return OnEndpoint(resource.name);
  return OnServer();
}

}  // namespace rondo::govern
