/// Inside the YAML reader and writer: where an emitted node ends, and the comments of a text by the node they belong to.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/dvc/yaml.h"

namespace rondo::data::dvc {

struct YamlMark {
  std::string path;  ///< "/outs/0/md5"
  size_t offset;     ///< in the text: behind a scalar, or behind the key of a collection
  size_t column;
};
std::string EmitWithMarks(const Yaml& value, std::vector<YamlMark>& marks);

/// Does a plain scalar of this text read as a text by YAML 1.2's (ruamel's) rules, and not as a number, true, null, a date?
bool IsYamlText(std::string_view plain);

struct YamlTrivia {
  struct AtNode {
    std::string end_of_line;  ///< "# why", without blanks before it
    size_t column = 0;        ///< where it stood
    std::string after;        ///< whole lines of comments and blanks after the node's line
    std::string block;        ///< a literal or folded scalar as written: header and lines; empty otherwise
  };
  std::string top;  ///< lines before the first key
  std::map<std::string, AtNode> nodes;
};
YamlTrivia ReadTrivia(std::string_view text);

}  // namespace rondo::data::dvc
