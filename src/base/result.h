/// Errors as values: `Result<T>` is what every fallible function below the API returns.
/// One table (`kCodes` in result.cc) maps a code to HTTP, MLflow and exit codes.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace rondo {

enum class Code {
  kInvalid,        ///< the caller's value is wrong (bad config, bad request)
  kNotFound,       ///< names something that doesn't exist
  kAlreadyExists,  ///< the name is taken
  kConflict,       ///< state has moved on, or another process holds it
  kUnauthorized,   ///< who are you
  kForbidden,      ///< you may not
  kFailedCheck,    ///< a gate, a contract or the data themselves failed
  kTooLarge,       ///< over a limit
  kUnsupported,    ///< known, but this release can't do it
  kUnavailable,    ///< overloaded or not ready: retry later
  kEnvironment,    ///< disk, port, missing engine
  kInternal,       ///< our fault
};

/// `message` says what failed and with which value; `hint` says what to do about it (may be empty).
struct Error {
  Code code = Code::kInternal;
  std::string message;
  std::string hint;

  /// "message\n  hint", as the command line prints it.
  std::string Text() const;
};

struct CodeInfo {
  Code code;
  std::string_view name;    ///< "NOT_FOUND"
  int http;                 ///< HTTP status
  std::string_view mlflow;  ///< MLflow's error_code
  int exit;                 ///< command line: 1 check failed, 2 usage or config, 3 environment
};
const CodeInfo& InfoOf(Code code);

template <typename T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> Fail(Code code, std::string message, std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(hint)});
}
/// Prefixes the message of an error: "reading rondo.yaml: no such file".
inline std::unexpected<Error> Wrap(Error error, std::string_view what) {
  error.message = std::string(what) + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace rondo

#define RONDO_CONCAT2(a, b) a##b
#define RONDO_CONCAT(a, b) RONDO_CONCAT2(a, b)
/// `RONDO_TRY(auto x, F());` declares x, or returns F's error.
#define RONDO_TRY(decl, expr) RONDO_TRY_IMPL(RONDO_CONCAT(rondo_result_, __LINE__), decl, expr)
#define RONDO_TRY_IMPL(tmp, decl, expr)                             \
  auto tmp = (expr);                                                \
  if (!tmp) return std::unexpected(std::move(tmp).error());         \
  decl = std::move(*tmp)
/// `RONDO_DO(F());` returns F's error, if any.
#define RONDO_DO(expr)                                                           \
  do {                                                                           \
    if (auto rondo_status = (expr); !rondo_status)                               \
      return std::unexpected(std::move(rondo_status).error());                   \
  } while (0)
