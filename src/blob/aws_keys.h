/// Where AWS keys come from, in boto3's order. Internal to this module.
#pragma once

#include "blob/aws_config.h"

namespace rondo::blob {

Result<std::shared_ptr<AwsKeySource>> FindAwsKeys(const S3Settings& settings, const Environment& environment, const std::string& profile, const AwsSections& credentials,
                                                  const AwsSections& config);

}  // namespace rondo::blob
