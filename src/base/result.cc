#include "base/result.h"

namespace rondo {
namespace {

constexpr CodeInfo kCodes[] = {
    {Code::kInvalid, "INVALID", 400, "INVALID_PARAMETER_VALUE", 2},
    {Code::kNotFound, "NOT_FOUND", 404, "RESOURCE_DOES_NOT_EXIST", 2},
    {Code::kAlreadyExists, "ALREADY_EXISTS", 400, "RESOURCE_ALREADY_EXISTS", 2},
    {Code::kConflict, "CONFLICT", 409, "INVALID_STATE", 3},
    {Code::kUnauthorized, "UNAUTHORIZED", 401, "UNAUTHENTICATED", 3},
    {Code::kForbidden, "FORBIDDEN", 403, "PERMISSION_DENIED", 3},
    {Code::kFailedCheck, "FAILED_CHECK", 422, "INVALID_STATE", 1},
    {Code::kTooLarge, "TOO_LARGE", 413, "INVALID_PARAMETER_VALUE", 1},
    {Code::kUnsupported, "UNSUPPORTED", 501, "NOT_IMPLEMENTED", 2},
    {Code::kUnavailable, "UNAVAILABLE", 503, "TEMPORARILY_UNAVAILABLE", 3},
    {Code::kEnvironment, "ENVIRONMENT", 500, "INTERNAL_ERROR", 3},
    {Code::kInternal, "INTERNAL", 500, "INTERNAL_ERROR", 3},
};

}  // namespace

const CodeInfo& InfoOf(Code code) {
  for (const CodeInfo& info : kCodes)
    if (info.code == code) return info;
  return kCodes[std::size(kCodes) - 1];
}

std::string Error::Text() const { return hint.empty() ? message : message + "\n  " + hint; }

}  // namespace rondo
