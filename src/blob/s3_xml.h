/// The little XML that S3 speaks: flat answers of elements with texts. No DTD, no external entity, bounded depth. Internal to this module.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rondo::blob {

struct XmlNode {
  std::string name;  ///< without a namespace prefix
  std::string text;
  std::vector<XmlNode> children;

  const XmlNode* Find(std::string_view child) const;        ///< nullptr when absent
  const std::string& Text(std::string_view child) const;    ///< "" when absent
};
/// kUnavailable for anything that is no XML (a proxy's page, a cut answer): asking again may help.
Result<XmlNode> ParseXml(std::string_view text);
std::string XmlEscape(std::string_view text);

}  // namespace rondo::blob
