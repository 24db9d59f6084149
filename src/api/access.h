/// What a route needs: a level, and the kind of thing whose grants give it. Every row of the route table names both, `Permission::kWrite | Scope::kRun`;
/// access_test.cc fails for rows that don't, and until then they are answered to people with rights on the whole server only.
#pragma once

#include <cstdint>
#include <string_view>

namespace rondo::api {

enum class Permission : uint8_t {
  kPublic,   ///< no login: health, version, the login itself
  kRead,     ///< viewer
  kPredict,  ///< viewer: calling an endpoint is what it is there for
  kWrite,    ///< editor
  kManage,   ///< manager: delete, restore, purge, grant
  kAdmin,    ///< admin: users, groups, rights on everything
};
std::string_view PermissionName(Permission permission);

/// Where a request says which thing it is about. Ids are read from the path, the query and the body; all that are found must be allowed.
enum class Scope : uint8_t {
  kUnset,
  kServer,         ///< the whole server: datasets, pipelines, audit
  kSelf,           ///< the caller's own account: any login will do
  kListed,         ///< the answer shows only what the caller may read: the handler asks Call::MayRead… for each item
  kExperiment,     ///< experiment_id, experiment_ids, experiment_name; a `new_name` must stay in the folder or be allowed there
  kNewExperiment,  ///< `name`: rights on its folder; the caller becomes manager of what is made
  kRun,            ///< {id}, run_id, run_uuid, run_ids, runs, ids: rights on the runs' experiments
  kLoggedModel,    ///< {id}, model_id: rights on its experiment
  kArtifact,       ///< {path…}, path: its first part is the experiment
  kModel,          ///< {name}, name
  kNewModel,       ///< `name`: rights on names like it; the caller becomes manager of what is made
  kModelRename,    ///< `name` and `new_name`; grants follow
  kModelDelete,    ///< `name`; its grants go with it
  kNewVersion,     ///< `name`, and reading what `source` points to
  kEndpoint,       ///< {endpoint}, {model}, {name}
};
std::string_view ScopeName(Scope scope);

struct Access {
  Permission permission = Permission::kAdmin;
  Scope scope = Scope::kUnset;
  constexpr Access() = default;
  constexpr Access(Permission p) : permission(p) {}
  constexpr Access(Permission p, Scope s) : permission(p), scope(s) {}
};
constexpr Access operator|(Permission permission, Scope scope) { return {permission, scope}; }

}  // namespace rondo::api
