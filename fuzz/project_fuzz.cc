// rondo.yaml and its gates from hostile bytes: no crash, and what is accepted survives a round trip through JSON.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json_map.h"
#include "project/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rondo;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (auto p = project::ParseProject(text)) {
    const Json json = ToJson(*p);
    project::Project again;
    if (!FromJson(json, again) || ToJson(again).Dump() != json.Dump()) std::abort();
  }
  (void)project::ParseGate(text, project::Task::binary);
  (void)project::ParseGate(text, project::Task::multiclass);
  project::LoadOptions options;
  options.set = {text};
  (void)project::ParseProject("project: t\nstages: {a: {cmd: x}}\n", "rondo.yaml", options);
  return 0;
}
