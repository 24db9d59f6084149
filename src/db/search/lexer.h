/// Tokens of the search language. Internal to db/search.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rondo::db::search {

enum class TokenKind {
  kName,      ///< name or dotted name, parts may be quoted: tags."a b".c
  kString,    ///< 'single quoted'
  kQuoted,    ///< "double quoted": a value or a key
  kNumber,
  kOperator,  ///< = == != <> < <= > >=
  kList,      ///< ( ... ) as a whole
  kEnd,       ///< ';'
  kOther,
};
struct Token {
  TokenKind kind;
  std::string_view text;  ///< as written
};
std::vector<Token> Tokenize(std::string_view text);

/// Without the quotes around it, if there are any of `marks`.
std::string_view Unquoted(std::string_view text, std::string_view marks);
bool SameWord(std::string_view text, std::string_view upper_case_word);

}  // namespace rondo::db::search
