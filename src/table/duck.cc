// Loads DuckDB and translates its error messages.
#include "table/duck.h"

#include <algorithm>
#include <cctype>

#include "base/dynlib.h"

namespace rondo::table {
namespace {

Result<Duck> LoadDuck() {
  RONDO_TRY(const Engine* engine, rondo::Engine::Load("duckdb"));
  Duck duck;
#define X(name)                                                           \
  {                                                                       \
    RONDO_TRY(void* symbol, engine->Symbol("duckdb_" #name));             \
    duck.name = reinterpret_cast<decltype(&duckdb_##name)>(symbol);       \
  }
  RONDO_DUCK_FUNCTIONS(X)
#undef X
  return duck;
}

}  // namespace

Result<const Duck*> Duck::Get() {
  static const Result<Duck> duck = LoadDuck();
  if (!duck) return std::unexpected(duck.error());
  return &*duck;
}

std::string CleanMessage(std::string_view message) {
  for (const std::string_view cut : {std::string_view("\n\nLINE "), std::string_view("\nLINE ")})
    if (const size_t at = message.find(cut); at != message.npos) message = message.substr(0, at);
  // "Invalid Input Error: text": the class says nothing to a user.
  if (const size_t colon = message.find(" Error: "); colon != message.npos && colon < 40 &&
      std::all_of(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(colon), [](unsigned char c) { return std::isalpha(c) || c == ' '; }))
    message = message.substr(colon + 8);
  while (!message.empty() && std::isspace(static_cast<unsigned char>(message.back()))) message.remove_suffix(1);
  return std::string(message);
}

Error DuckError(std::string_view message, Code otherwise) {
  Error error{otherwise, CleanMessage(message), {}};
  if (message.find("No space left") != message.npos) {
    error.code = Code::kEnvironment;
    error.hint = "the disk is full: free some space and run the command again; nothing was lost";
  } else if (message.starts_with("Out of Memory") || message.find("failed to allocate") != message.npos || message.find("could not allocate") != message.npos) {
    error.code = Code::kEnvironment;
    error.hint = "the data need more memory than the limit of this step: give the machine more, or use fewer columns";
  } else if (message.find("Permission denied") != message.npos) {
    error.code = Code::kEnvironment;
    error.hint = "check the permissions of the file and its folder";
  }
  return error;
}

}  // namespace rondo::table
