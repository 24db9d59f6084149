// The program: what the command line says, with the server behind `rondo up`.
#include "app/server.h"
#include "cli/command.h"

int main(int argc, char** argv) {
  rondo::cli::Hooks hooks;
  hooks.up = rondo::app::Up;
  return rondo::cli::Main(argc, argv, hooks);
}
