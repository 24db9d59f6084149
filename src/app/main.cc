// The program: what the command line says, with the server behind `rondo up`.
#include <filesystem>

#include "app/server.h"
#include "base/process.h"
#include "cli/command.h"
#include "cli/dvc/command.h"

int main(int argc, char** argv) {
  (void)rondo::SelfPath();
  // The same program under the name `dvc` takes DVC's command lines.
  if (argc > 0 && std::filesystem::path(argv[0]).filename() == "dvc") return rondo::cli::dvc::Main({argv + 1, argv + argc});
  rondo::cli::Hooks hooks;
  hooks.up = rondo::app::Up;
  return rondo::cli::Main(argc, argv, hooks);
}
