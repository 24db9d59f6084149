// The program: what the command line says, with the server behind `rondo up`.
#include "app/server.h"
#include "base/process.h"
#include "cli/command.h"

int main(int argc, char** argv) {
  (void)rondo::SelfPath();
  rondo::cli::Hooks hooks;
  hooks.up = rondo::app::Up;
  return rondo::cli::Main(argc, argv, hooks);
}
