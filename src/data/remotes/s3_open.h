/// From a remote's configuration to an S3 client. Internal to this module.
#pragma once

#include <memory>
#include <string>

#include "blob/s3.h"
#include "data/remotes/remote.h"

namespace rondo::data::remotes {

struct S3Place {
  std::unique_ptr<blob::S3> s3;
  std::string key;  ///< below the bucket, without a leading '/'
};
Result<S3Place> OpenS3Place(const std::string& url, const RemoteKeys& keys);

}  // namespace rondo::data::remotes
